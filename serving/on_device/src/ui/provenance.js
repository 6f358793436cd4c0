// The mark that saved pictures carry: that they are synthetic. The twin of the package's `provenance.py`, which says what
// it means; a test compares their bytes.

const SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
const SOFTWARE = 'tf_unseen_pose';
const COMMENT = 'Synthetic: tf_unseen_pose put the person of a photo into this pose.';
const XMP = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:CreatorTool="${SOFTWARE}" \
Iptc4xmpExt:DigitalSourceType="${SOURCE_TYPE}">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${COMMENT}</rdf:li></rdf:Alt></dc:description>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

// Where a PNG's first chunk, IHDR, ends.
const HEADER = 33;

/** CRC-32 of bytes, as PNG's chunks end with. */
function crc(bytes) {
  let value = -1;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value;
}

function chunk(name, text) {
  const content = new TextEncoder().encode(name + text), bytes = new Uint8Array(content.length + 8);
  const view = new DataView(bytes.buffer);
  bytes.set(content, 4);
  view.setUint32(0, content.length - 4);
  view.setInt32(bytes.length - 4, crc(content));
  return bytes;
}

/** The mark as chunks of a PNG. */
export const CHUNKS = [
  // Not compressed, in no language.
  chunk('iTXt', `XML:com.adobe.xmp\0\0\0\0\0${XMP}`),
  chunk('tEXt', `Software\0${SOFTWARE}`),
  chunk('tEXt', `Comment\0${COMMENT}`),
];

/** A PNG with the mark in it. */
export const marked = (png) => new Blob([png.slice(0, HEADER), ...CHUNKS, png.slice(HEADER)], { type: png.type });
