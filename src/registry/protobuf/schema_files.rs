//! The file of a schema and those that it imports.
//!
//! Most registries give the text of a `.proto` file. Some clients register the descriptor that their compiler has made, in
//! base64, and not every registry makes a text of it.

use std::collections::HashMap;

use protox::file::{File, FileResolver};

use crate::codec::read_base64;

/// Files that registries know without having them as schemas, which the senders' libraries import.
const BUILT_IN: [(&str, &str); 4] = [
    ("confluent/meta.proto", META),
    ("confluent/type/decimal.proto", DECIMAL),
    // Where one version of the library for Python has it.
    ("confluent/types/decimal.proto", DECIMAL),
    (
        "confluent/type/variant.proto",
        "syntax = \"proto3\"; package confluent.type; message Variant { bytes metadata = 1; bytes value = 2; }",
    ),
];
const DECIMAL: &str = "syntax = \"proto3\"; package confluent.type; \
    message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }";
const META: &str = "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\"; \
    message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; } \
    extend google.protobuf.FileOptions { Meta file_meta = 1088; } \
    extend google.protobuf.MessageOptions { Meta message_meta = 1088; } \
    extend google.protobuf.FieldOptions { Meta field_meta = 1088; } \
    extend google.protobuf.EnumOptions { Meta enum_meta = 1088; } \
    extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }";

/// The files of a schema, by the names by which they are imported.
pub(super) struct SchemaFiles(pub HashMap<String, String>);

impl FileResolver for SchemaFiles {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let built_in = BUILT_IN.iter().find(|(of, _)| *of == name).map(|(_, text)| *text);
        match self.0.get(name).map(String::as_str).or(built_in) {
            Some(content) => open(name, content),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// A file by its content. The text of one always has a character that base64 does not have.
fn open(name: &str, content: &str) -> Result<File, protox::Error> {
    let Some(bytes) = read_base64(content.trim()).filter(|bytes| !bytes.is_empty()) else {
        return File::from_source(name, content);
    };
    let Ok(file) = File::decode_file_descriptor_proto(&bytes[..]) else {
        return File::from_source(name, content);
    };
    // It has the name that its sender gave it, and is looked for by the one by which it is imported.
    let mut descriptor = file.file_descriptor_proto().clone();
    descriptor.name = Some(name.to_owned());
    Ok(File::from_file_descriptor_proto(descriptor))
}
