"""TFRecord files and the `tf.train.Example` of their records, without TensorFlow.

A record is its data's length (8 bytes), that length's checksum (4), the data, and the data's checksum (4); numbers are
little-endian.

Source: TensorFlow's `record_writer.h`, `feature.proto` and `example.proto`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from tf_unseen_pose.errors import UserError

RECORD_HEADER, RECORD_OVERHEAD = 12, 16
_LENGTH, _CHECKSUM = 8, 4


def write_record(file: BinaryIO, data: bytes) -> None:
    """Appends a record to a file that is open for writing."""
    length = len(data).to_bytes(_LENGTH, "little")
    file.write(length + _checksum(length) + data + _checksum(data))


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Offset and data of every record of a file, in order; their checksums are checked.

    Raises:
        UserError: a record is damaged or truncated.
        OSError: the file cannot be read.
    """
    offset = 0
    with path.open("rb") as file:
        while length := file.read(_LENGTH):
            sound = file.read(_CHECKSUM) == _checksum(length)
            data = file.read(int.from_bytes(length, "little")) if sound else b""
            if not sound or file.read(_CHECKSUM) != _checksum(data):
                raise UserError(f"The record at byte {offset} of {path} is damaged; run 'prepare' again.")
            yield offset, data
            offset += RECORD_OVERHEAD + len(data)


def _checksum(data: bytes) -> bytes:
    """CRC32C, masked: a checksum of data that hold checksums would be a weak one."""
    crc = google_crc32c.value(data)
    return (((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32).to_bytes(_CHECKSUM, "little")


_EXAMPLE_PROTO = """
name: "example.proto"  package: "tensorflow"  syntax: "proto3"
message_type { name: "BytesList"  field { name: "value"  number: 1  label: LABEL_REPEATED  type: TYPE_BYTES } }
message_type { name: "FloatList"  field { name: "value"  number: 1  label: LABEL_REPEATED  type: TYPE_FLOAT } }
message_type { name: "Int64List"  field { name: "value"  number: 1  label: LABEL_REPEATED  type: TYPE_INT64 } }
message_type {
  name: "Feature"
  oneof_decl { name: "kind" }
  field { name: "bytes_list"  number: 1  label: LABEL_OPTIONAL  type_name: "BytesList"  oneof_index: 0 }
  field { name: "float_list"  number: 2  label: LABEL_OPTIONAL  type_name: "FloatList"  oneof_index: 0 }
  field { name: "int64_list"  number: 3  label: LABEL_OPTIONAL  type_name: "Int64List"  oneof_index: 0 }
}
message_type {
  name: "Features"
  field { name: "feature"  number: 1  label: LABEL_REPEATED  type_name: "FeatureEntry" }
  nested_type {
    name: "FeatureEntry"
    options { map_entry: true }
    field { name: "key"  number: 1  label: LABEL_OPTIONAL  type: TYPE_STRING }
    field { name: "value"  number: 2  label: LABEL_OPTIONAL  type_name: "Feature" }
  }
}
message_type { name: "Example"  field { name: "features"  number: 1  label: LABEL_OPTIONAL  type_name: "Features" } }
"""
# In a pool of its own: the default one is where TensorFlow registers messages of the same names.
_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(text_format.Parse(_EXAMPLE_PROTO, descriptor_pb2.FileDescriptorProto()).SerializeToString())
# The message of TensorFlow's `tf.train.Example`.
Example = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("tensorflow.Example"))
