//! One decoded behaviour event: its envelope, and the properties that the catalog uses.

use super::{Number, Timestamp};

/// An event type that the catalog mentions; [`EventTypeId::OTHER`] stands for all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventTypeId(pub u16);

impl EventTypeId {
    pub const OTHER: EventTypeId = EventTypeId(0);

    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A property path that the catalog mentions: an index into [`Event`]'s properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub u16);

impl PathId {
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// An array whose elements the catalog looks at one by one: an index into its table of arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArrayId(pub u16);

impl ArrayId {
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A kind of entity that the catalog declares: an index into its entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKindId(pub u16);

impl EntityKindId {
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A tag of the catalog: an index into its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagId(pub u16);

/// A command: an event that is not behaviour (spec 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// `$erase`: forget the entity.
    Erase,
    /// `$tag` with `set: true`: sets a manual tag. `value` is a bool, a number or a string.
    Set { tag: TagId, value: Property, valid_for_ms: Option<i64> },
    /// `$tag` with `set: false`.
    Unset { tag: TagId },
}

/// A piece of an event's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

/// The value at a property path of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Property {
    /// No such member, or a number that no finite double represents.
    #[default]
    Missing,
    /// An explicit JSON null: clears an attribute, otherwise the same as missing.
    Null,
    Bool(bool),
    /// A number without fraction and exponent that 64 bits hold, and its digits.
    Integer(i64, Span),
    /// Any other number: the double, and the digits as written.
    Number(f64, Span),
    String(Span),
    /// `len` elements from index `start` in [`Event::elements`].
    Array {
        start: u32,
        len: u32,
    },
    Object,
}

/// The elements of one array, each a row with the values at the catalog's paths below `item`.
#[derive(Clone, Copy, Debug, Default)]
struct ItemList {
    start: usize,
    len: usize,
    width: usize,
}

/// An event that owns its text, so that one value can be refilled without allocating.
///
/// Strings are in one buffer and are referred to by [`Span`]; integer keys and ids are kept as decimal text.
#[derive(Clone, Debug, Default)]
pub struct Event {
    text: String,
    /// How much of the text is the record.
    record_len: usize,
    /// The user's.
    key: Span,
    /// By kind of entity; `None` where the event is not about an entity of that kind.
    keys: Vec<Option<Span>>,
    type_name: Span,
    id: Option<Span>,
    /// Which of the catalog's event types it is.
    pub event_type: EventTypeId,
    /// A command is not behaviour: no counter counts it.
    pub command: Option<Command>,
    pub time: Timestamp,
    /// Whether a text that is a number counts as that number where one is wanted (spec 9.1).
    pub numbers_in_text: bool,
    properties: Vec<Property>,
    elements: Vec<Property>,
    /// By [`ArrayId`].
    item_lists: Vec<ItemList>,
    items: Vec<Property>,
    /// How many elements were too many to look at.
    pub items_left_out: u64,
}

impl Event {
    /// Empties the event for the next one, with room for `paths` properties.
    pub fn clear(&mut self, paths: usize) {
        self.text.clear();
        self.record_len = 0;
        self.key = Span::default();
        self.type_name = Span::default();
        self.id = None;
        self.event_type = EventTypeId::OTHER;
        self.command = None;
        self.keys.clear();
        self.properties.clear();
        self.properties.resize(paths, Property::Missing);
        self.elements.clear();
        self.item_lists.clear();
        self.items.clear();
        self.items_left_out = 0;
    }

    /// Copies a whole record, as the first text after [`Event::clear`]: one copy is cheaper than one copy of each value.
    /// [`Event::piece`] then refers to parts of it.
    pub fn keep_record(&mut self, record: &str) {
        debug_assert!(self.text.is_empty(), "a record comes first");
        self.text.push_str(record);
        self.record_len = record.len();
    }

    /// The record that it was decoded from, without what is around it; empty where none was kept.
    pub fn record(&self) -> &str {
        &self.text[..self.record_len]
    }

    /// The record's text between two byte positions.
    pub fn piece(&self, start: usize, end: usize) -> Span {
        Span { start: start as u32, len: (end - start) as u32 }
    }

    /// Copies `text`: a key, a type, an id, a string or a number's digits.
    pub fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Span { start, len: text.len() as u32 }
    }

    /// Copies the texts, one behind the other, as one.
    pub fn keep_joined<const N: usize>(&mut self, texts: [&str; N]) -> Span {
        let start = self.text.len() as u32;
        texts.into_iter().for_each(|text| self.text.push_str(text));
        Span { start, len: self.text.len() as u32 - start }
    }

    pub fn set_key(&mut self, span: Span) {
        self.key = span;
    }

    /// The key of the next kind of entity, in the catalog's order.
    pub fn push_entity_key(&mut self, key: Option<Span>) {
        self.keys.push(key);
    }

    /// Restricts the event to the entity of one kind.
    pub fn keep_only(&mut self, kind: EntityKindId) {
        for (index, key) in self.keys.iter_mut().enumerate() {
            *key = key.filter(|_| index == kind.index());
        }
    }

    pub fn set_type(&mut self, event_type: EventTypeId, name: Span) {
        self.event_type = event_type;
        self.type_name = name;
    }

    pub fn set_id(&mut self, span: Option<Span>) {
        self.id = span;
    }

    pub fn set_property(&mut self, path: PathId, property: Property) {
        self.properties[path.index()] = property;
    }

    /// Appends an array's element and returns its index, to which [`Property::Array`]'s `start` refers.
    pub fn push_element(&mut self, element: Property) -> u32 {
        self.elements.push(element);
        self.elements.len() as u32 - 1
    }

    /// Begins the rows of the next of the catalog's arrays, each `width` values long.
    pub fn begin_items(&mut self, width: usize) {
        self.item_lists.push(ItemList { start: self.items.len(), len: 0, width });
    }

    /// Appends an element's row; its values follow with [`Event::push_item_value`].
    pub fn begin_item(&mut self) {
        if let Some(list) = self.item_lists.last_mut() {
            list.len += 1;
        }
    }

    pub fn push_item_value(&mut self, value: Property) {
        self.items.push(value);
    }

    /// The elements of an array, each as the values at the catalog's paths below `item`.
    pub fn items(&self, array: ArrayId) -> impl Iterator<Item = &[Property]> {
        let ItemList { start, len, width } = self.item_lists.get(array.index()).copied().unwrap_or_default();
        (0..len).map(move |index| &self.items[start + index * width..start + (index + 1) * width])
    }

    /// The number of array elements so far.
    pub fn element_count(&self) -> u32 {
        self.elements.len() as u32
    }

    /// The number that a text of the event counts as where a number is wanted.
    pub fn number_in(&self, text: &str) -> Option<Number> {
        if self.numbers_in_text { Number::from_json(text) } else { None }
    }

    pub fn text(&self, span: Span) -> &str {
        &self.text[span.start as usize..(span.start + span.len) as usize]
    }

    /// The user's key.
    pub fn key(&self) -> &str {
        self.text(self.key)
    }

    /// The key of the event's entity of this kind, if it has one.
    pub fn key_of(&self, kind: EntityKindId) -> Option<&str> {
        self.keys.get(kind.index()).copied().flatten().map(|span| self.text(span))
    }

    /// The kinds of entity whose key in this event is `key`.
    pub fn kinds_of(&self, key: &str) -> impl Iterator<Item = EntityKindId> {
        let kinds = (0..self.keys.len() as u16).map(EntityKindId);
        kinds.filter(move |kind| self.key_of(*kind) == Some(key))
    }

    pub fn type_name(&self) -> &str {
        self.text(self.type_name)
    }

    pub fn id(&self) -> Option<&str> {
        self.id.map(|span| self.text(span))
    }

    pub fn property(&self, path: PathId) -> Property {
        self.properties[path.index()]
    }

    /// The elements of a [`Property::Array`].
    pub fn elements(&self, start: u32, len: u32) -> &[Property] {
        &self.elements[start as usize..(start + len) as usize]
    }
}
