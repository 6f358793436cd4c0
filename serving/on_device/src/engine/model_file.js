// What a .tflite file of the project says about itself: JSON in the flatbuffer's metadata, under a name.
// The twin of `metadata` in `tf_unseen_pose/inference/lite_file.py`, which says what is in it.

const NAME = 'unseen_pose.json', FORMAT = 3;
// Where a table's fields stand in TensorFlow Lite's schema.
const MODEL = { buffers: 4, metadata: 6 }, METADATA = { name: 0, buffer: 1 }, BUFFER = { data: 0 };

/** The JSON of a file's bytes. Throws where the file is of another format or says nothing. */
export function about(bytes) {
  const stored = metadata(bytes), said = stored && JSON.parse(new TextDecoder().decode(stored));
  if (said?.format !== FORMAT) {
    throw new Error(`the model file is of format ${said?.format ?? 'unknown'}, the page reads ${FORMAT}: export the model anew`);
  }
  return said;
}

function metadata(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at = (place) => place + view.getUint32(place, true);
  // A table begins with how far before it its list of fields lies.
  const field = (table, number) => {
    const fields = table - view.getInt32(table, true), place = 4 + 2 * number;
    const offset = place < view.getUint16(fields, true) ? view.getUint16(fields + place, true) : 0;
    return offset ? table + offset : null;
  };
  const content = (place) => bytes.subarray(at(place) + 4, at(place) + 4 + view.getUint32(at(place), true));
  const entry = (place, i) => at(at(place) + 4 + 4 * i);

  const model = at(0), list = field(model, MODEL.metadata);
  for (let i = 0; list && i < view.getUint32(at(list), true); i++) {
    const table = entry(list, i), name = field(table, METADATA.name), number = field(table, METADATA.buffer);
    if (!name || new TextDecoder().decode(content(name)) !== NAME) continue;
    const buffer = entry(field(model, MODEL.buffers), number ? view.getUint32(number, true) : 0);
    return content(field(buffer, BUFFER.data));
  }
  return null;
}
