//! The headers of a dead letter, and what is left of one that is too large for its topic.

use rdkafka::message::{Header, Headers, OwnedHeaders};

/// Why a record is a dead letter, and where it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LetterOrigin<'a> {
    pub reason: &'a str,
    pub detail: Option<&'a str>,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
}

/// The headers of the record itself, and those that tell its origin.
#[derive(Clone, Debug)]
pub(crate) struct LetterHeaders {
    headers: OwnedHeaders,
    /// How many are of the record itself; they come first.
    own: usize,
}

/// What is sent of a dead letter.
pub(crate) struct SentLetter<'a> {
    pub key: Option<&'a [u8]>,
    pub value: &'a [u8],
    pub headers: OwnedHeaders,
}

impl LetterHeaders {
    pub(crate) fn new(own: OwnedHeaders, origin: LetterOrigin<'_>) -> Self {
        let (partition, offset) = (origin.partition.to_string(), origin.offset.to_string());
        let of_origin = [
            ("tagstream-reason", origin.reason),
            ("tagstream-topic", origin.topic),
            ("tagstream-partition", &partition),
            ("tagstream-offset", &offset),
        ];
        let detail = origin.detail.map(|detail| ("tagstream-detail", detail));
        let count = own.count();
        LetterHeaders { headers: of_origin.into_iter().chain(detail).fold(own, add), own: count }
    }

    /// The letter, of which key, value and the record's own headers have at most so many bytes each. A key or a value that
    /// is longer is cut; own headers that are longer together are left out. Another header tells of each.
    pub(crate) fn fit<'a>(&self, key: Option<&'a [u8]>, value: &'a [u8], bytes_max: usize) -> SentLetter<'a> {
        let own = self.headers.iter().take(self.own);
        let own_bytes: usize = own.map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len)).sum();
        let mut headers = if own_bytes <= bytes_max {
            self.headers.clone()
        } else {
            let of_origin = self.headers.iter().skip(self.own);
            let of_origin = of_origin.fold(OwnedHeaders::new(), |headers, header| headers.insert(header));
            add(of_origin, ("tagstream-headers-left-out", &self.own.to_string()))
        };
        let mut cut = |bytes: &'a [u8], name: &str| {
            if bytes.len() <= bytes_max {
                return bytes;
            }
            headers = add(std::mem::take(&mut headers), (name, &bytes.len().to_string()));
            &bytes[..bytes_max]
        };
        let value = cut(value, "tagstream-truncated-from");
        let key = key.map(|key| cut(key, "tagstream-key-truncated-from"));
        SentLetter { key, value, headers }
    }
}

fn add(headers: OwnedHeaders, (key, value): (&str, &str)) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of key and value, and the headers, of a letter whose record has one header of its own.
    fn fit(own: usize, key: usize, value: usize, bytes_max: usize) -> (usize, usize, String) {
        let of_record = Header { key: "a", value: Some(&vec![b'x'; own]) };
        let origin = LetterOrigin { reason: "json", detail: Some("x"), topic: "t", partition: 3, offset: 7 };
        let (key, value) = (vec![1; key], vec![2; value]);
        let letter =
            LetterHeaders::new(OwnedHeaders::new().insert(of_record), origin).fit(Some(&key), &value, bytes_max);
        let text = |header: Header<'_, &[u8]>| {
            let value = String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned();
            format!("{}={value}", header.key.trim_start_matches("tagstream-"))
        };
        let headers: Vec<String> = letter.headers.iter().map(text).collect();
        (letter.key.map_or(0, <[u8]>::len), letter.value.len(), headers.join(" "))
    }

    #[test]
    fn each_part_fits() {
        let origin = "reason=json topic=t partition=3 offset=7 detail=x";
        let with = |before: &str, after: &str| format!("{before}{origin}{after}");
        assert_eq!(fit(4, 5, 5, 5), (5, 5, with("a=xxxx ", "")));
        assert_eq!(fit(5, 5, 5, 5), (5, 5, with("", " headers-left-out=1")));
        assert_eq!(fit(4, 5, 6, 5), (5, 5, with("a=xxxx ", " truncated-from=6")));
        assert_eq!(fit(4, 6, 5, 5), (5, 5, with("a=xxxx ", " key-truncated-from=6")));
        let all = " headers-left-out=1 truncated-from=8 key-truncated-from=9";
        assert_eq!(fit(50, 9, 8, 5), (5, 5, with("", all)));
        assert_eq!(fit(50, 9, 8, usize::MAX), (9, 8, with(&format!("a={} ", "x".repeat(50)), "")));
    }
}
