//! What an address asks of the page of an audience, and addresses that ask it.

use crate::serve::api::{ApiError, Parameters};

/// Audiences beside the first one, and values to divide by.
pub(super) const OTHERS_MAX: usize = LETTERS.len() - 1;
/// How the page calls the audiences.
pub(super) const LETTERS: [&str; 5] = ["A", "B", "C", "D", "E"];
pub(super) const BY_MAX: usize = 2;

/// The fields of the page's form, as they are written. An empty field is no field.
#[derive(Clone, Debug, Default)]
pub(super) struct AudienceForm {
    pub entity: Option<String>,
    pub condition: Option<String>,
    pub as_of: Option<String>,
    /// By what it is divided.
    pub by: Vec<String>,
    /// Audiences that are laid over it.
    pub others: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub cursor: Option<String>,
}

impl AudienceForm {
    pub(super) fn read(mut parameters: Parameters) -> Result<Self, ApiError> {
        let form = AudienceForm::take(&mut parameters)?;
        parameters.end()?;
        Ok(form)
    }

    /// Takes the form's fields out of some parameters.
    pub(super) fn take(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let is_filled = |text: &String| !text.trim().is_empty();
        let mut one = |name: &str| Ok::<_, ApiError>(parameters.one(name)?.filter(is_filled));
        let (entity, condition, as_of) = (one("entity")?, one("where")?, one("as_of")?);
        let (from, to, cursor) = (one("from")?, one("to")?, one("cursor")?);
        let mut several = |name: &str, most: usize| {
            let filled: Vec<String> = parameters.all(name).into_iter().filter(is_filled).collect();
            match filled.len() > most {
                true => Err(ApiError::Wrong(format!("{name}: at most {most}"))),
                false => Ok(filled),
            }
        };
        let (by, others) = (several("by", BY_MAX)?, several("with", OTHERS_MAX)?);
        Ok(AudienceForm { entity, condition, as_of, by, others, from, to, cursor })
    }

    /// The address of a page with this form.
    pub(super) fn address(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let single = [
            ("entity", &self.entity),
            ("where", &self.condition),
            ("as_of", &self.as_of),
            ("from", &self.from),
            ("to", &self.to),
            ("cursor", &self.cursor),
        ];
        for (name, value) in single {
            query.extend_pairs(value.iter().map(|value| (name, value)));
        }
        for (name, values) in [("by", &self.by), ("with", &self.others)] {
            query.extend_pairs(values.iter().map(|value| (name, value)));
        }
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The same, of those alone for whom another condition holds as well.
    pub(super) fn within(&self, condition: &str) -> Self {
        let condition = match &self.condition {
            Some(own) => format!("({own}) && {condition}"),
            None => condition.to_owned(),
        };
        AudienceForm { condition: Some(condition), cursor: None, ..self.clone() }
    }
}
