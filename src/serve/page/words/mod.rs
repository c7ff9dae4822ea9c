//! What the page says, in English and Chinese, and how it writes numbers and times.
//!
//! Words stand in tables, one a page: each row has a name, what goes into it, and both texts side by side. A table becomes
//! a type with a method for each row, so the compiler refuses a page that uses a row which does not exist, an argument that
//! is missing or has another type, and a row without one of the two languages. A test compares what the texts of a row
//! mention. A file for each language would find all of that only when it is read.
//!
//! - `language`: which language a reader gets;
//! - `numbers`: counts, shares;
//! - `rich`: texts of unknown origin within sentences;
//! - `times`: instants and lengths of time, in the catalog's time zone.

mod language;
mod numbers;
mod times;
mod rich;

pub use language::Language;
pub(in crate::serve::page) use numbers::{Count, Share, Signed};
pub(in crate::serve::page) use rich::{Code, rich, visible};
pub(in crate::serve::page) use times::{Length, Times};

/// The texts of a row, for the test that compares them.
#[derive(Clone, Copy, Debug)]
pub struct WordRow {
    pub table: &'static str,
    pub name: &'static str,
    pub english: &'static str,
    /// Where the count is one.
    pub singular: Option<&'static str>,
    pub chinese: &'static str,
}

/// A table of words.
///
/// ```text
/// words! { TagWords {
///     title: "Tags", "标签";
///     members(count: Count): "{count} members" / count "{count} member", "{count} 名成员";
/// } }
/// ```
/// The text behind the slash is the one where the named count is one.
macro_rules! words {
    ($table:ident { $(
        $name:ident $( ( $($argument:ident : $type:ty),* ) )? :
            $english:literal $( / $count:ident $singular:literal )? , $chinese:literal;
    )* }) => {
        #[derive(Clone, Copy, Debug)]
        pub(in crate::serve::page) struct $table(pub(in crate::serve::page) $crate::serve::page::words::Language);

        impl $table {
            pub(in crate::serve::page) const ALL: &'static [$crate::serve::page::words::WordRow] = &[ $(
                $crate::serve::page::words::WordRow {
                    table: stringify!($table),
                    name: stringify!($name),
                    english: $english,
                    singular: $crate::serve::page::words::words!(@singular $($singular)?),
                    chinese: $chinese,
                },
            )* ];

            $(
                pub(in crate::serve::page) fn $name(self $( $(, $argument: $type)* )?) -> String {
                    match self.0 {
                        $( $crate::serve::page::words::Language::English if $count.is_one() => format!($singular), )?
                        $crate::serve::page::words::Language::English => format!($english),
                        $crate::serve::page::words::Language::Chinese => format!($chinese),
                    }
                }
            )*
        }
    };
    (@singular) => { None };
    (@singular $singular:literal) => { Some($singular) };
}
pub(in crate::serve::page) use words;
