//! Which message of its schema a payload is, and its JSON.
//!
//! Before the message a payload has the place of its type in the schema's file: the index of a message, then that of one
//! within it, and so on. One byte 0 stands for the first message of the file.

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FileDescriptor, MessageDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, GoogleFileResolver};

use super::message_json::push_message;
use super::schema_files::SchemaFiles;

/// The name of the schema's own file; no import has it.
const FILE: &str = "the schema itself";
/// Deeper than messages are declared in each other.
const INDEXES_MAX: u64 = 64;

/// A schema by which payloads are read.
#[derive(Clone, Debug)]
pub struct ProtobufSchema {
    file: FileDescriptor,
}

/// Why a payload is not of its schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOfProtobuf {
    #[error("it ends within the place of its message")]
    TooShort,
    #[error("the schema has no message at {0:?}")]
    NoMessage(Vec<u64>),
    #[error("{0}")]
    Message(String),
}

/// Where it stands which message of its schema's file a payload is.
#[derive(Clone, Copy, Debug)]
pub enum MessagePlace<'a> {
    /// Before the message.
    InPayload,
    /// Here: what follows the schema's id or GUID in a header.
    InHeader(&'a [u8]),
}

impl ProtobufSchema {
    /// Reads a schema: a text, or a descriptor in base64. `imports` are the files that it imports, directly or not, each with
    /// the name by which it is imported.
    ///
    /// # Errors
    /// One of them is not a file of Protobuf, or imports one that is missing; in words.
    pub fn parse<'a>(text: &str, imports: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut files: HashMap<String, String> =
            imports.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        files.insert(FILE.to_owned(), text.to_owned());
        let mut resolver = ChainFileResolver::new();
        resolver.add(SchemaFiles(files));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).open_file(FILE).map_err(|error| error.to_string())?;
        let file = compiler.descriptor_pool().get_file_by_name(FILE);
        Ok(ProtobufSchema { file: file.ok_or("it has no file")? })
    }

    /// Appends a payload as JSON. After an error, what was appended is undefined.
    ///
    /// # Errors
    /// The payload is not of this schema.
    pub fn write_json(&self, place: MessagePlace<'_>, payload: &[u8], out: &mut Vec<u8>) -> Result<(), NotOfProtobuf> {
        let (descriptor, message) = match place {
            MessagePlace::InPayload => self.message(payload)?,
            MessagePlace::InHeader(path) => (self.message(path)?.0, payload),
        };
        let message =
            DynamicMessage::decode(descriptor, message).map_err(|error| NotOfProtobuf::Message(error.to_string()))?;
        push_message(&message, out).map_err(NotOfProtobuf::Message)
    }

    /// The message whose place these bytes begin with, and what follows.
    fn message<'a>(&self, payload: &'a [u8]) -> Result<(MessageDescriptor, &'a [u8]), NotOfProtobuf> {
        let mut rest = payload;
        let count = number(&mut rest)?;
        let mut path = Vec::new();
        if count == 0 {
            path.push(0);
        }
        if count > INDEXES_MAX {
            return Err(NotOfProtobuf::TooShort);
        }
        for _ in 0..count {
            path.push(number(&mut rest)?);
        }
        let mut found: Option<MessageDescriptor> = None;
        for index in &path {
            let at = usize::try_from(*index).unwrap_or(usize::MAX);
            found = match &found {
                None => self.file.messages().nth(at),
                // The entries of maps are messages only to compilers: senders do not count them.
                Some(message) => message.child_messages().filter(|child| !child.is_map_entry()).nth(at),
            };
            if found.is_none() {
                break;
            }
        }
        found.map(|message| (message, rest)).ok_or(NotOfProtobuf::NoMessage(path))
    }
}

/// A number of variable length in zigzag encoding, which is not negative here.
fn number(rest: &mut &[u8]) -> Result<u64, NotOfProtobuf> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (byte, behind) = rest.split_first().ok_or(NotOfProtobuf::TooShort)?;
        *rest = behind;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
        if byte & 0x80 == 0 {
            return Ok(value >> 1);
        }
        shift += 7;
        if shift > 63 {
            return Err(NotOfProtobuf::TooShort);
        }
    }
}
