//! Audiences: the entities that have a tag, or are in one of its bands or stages.

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::model::Scalar;

/// An audience, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Audience {
    pub tag: Box<str>,
    /// A band or a stage; `None` for tags that have neither.
    pub part: Option<Box<str>>,
}

/// All audiences of a catalog, numbered in the catalog's order.
#[derive(Clone, Debug)]
pub(crate) struct Audiences {
    list: Vec<Audience>,
    /// By tag, the number of its first audience and the count of its audiences.
    places: HashMap<Box<str>, (usize, usize)>,
}

impl Audiences {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let (mut list, mut places) = (Vec::new(), HashMap::new());
        for tag in &catalog.tags {
            let parts = tag.definition.labels();
            let first = list.len();
            let audience = |part: Option<&str>| Audience { tag: tag.name.clone(), part: part.map(Into::into) };
            if parts.is_empty() {
                list.push(audience(None));
            } else {
                list.extend(parts.into_iter().map(|part| audience(Some(part))));
            }
            places.insert(tag.name.clone(), (first, list.len() - first));
        }
        Audiences { list, places }
    }

    pub(crate) fn list(&self) -> &[Audience] {
        &self.list
    }

    /// The audience of the entities whose tag has this value; `None` for an absent value.
    pub(crate) fn find(&self, tag: &str, value: Scalar<'_>) -> Option<usize> {
        let (first, len) = *self.places.get(tag)?;
        match (value, &self.list[first].part) {
            (Scalar::Absent, _) => None,
            (_, None) => Some(first),
            (Scalar::String(name), _) => {
                let parts = &self.list[first..first + len];
                parts.iter().position(|audience| audience.part.as_deref() == Some(name)).map(|at| first + at)
            }
            _ => None,
        }
    }
}

/// The line below a table that leaves audiences out.
pub(crate) fn left_out(audiences: usize, one: &str, many: &str) -> String {
    match audiences {
        0 => String::new(),
        1 => format!("1 audience {one} (--all shows it)\n"),
        _ => format!("{audiences} audiences {many} (--all shows them)\n"),
    }
}

impl std::fmt::Display for Audience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.part {
            None => f.write_str(&self.tag),
            Some(part) => write!(f, "{}: {part}", self.tag),
        }
    }
}
