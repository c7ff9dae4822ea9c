//! Horizontal bars, one a row: a table whose rows have a bar each, so that it can be read without seeing it.

use maud::{Markup, html};

use super::scale::at;
use crate::serve::page::words::{Count, Share};

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 12.0;

/// A row.
#[derive(Clone, Debug)]
pub(in crate::serve::page) struct Bar {
    /// What it counts; may have a link.
    pub label: Markup,
    pub size: u64,
}

/// Bars of one whole, whose share each row has; the longest bar is as wide as there is room. `heads` names what the rows
/// are, their sizes, and their shares.
pub(in crate::serve::page) fn bars(caption: &str, heads: &[&str; 3], bars: &[Bar], whole: u64) -> Markup {
    let most = bars.iter().map(|bar| bar.size).max().unwrap_or(0).max(1);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.bars {
                caption { (caption) }
                thead { tr {
                    th scope="col" { (heads[0]) }
                    th.number scope="col" { (heads[1]) }
                    th.number scope="col" { (heads[2]) }
                    td {}
                } }
                tbody {
                    @for bar in bars {
                        tr {
                            th scope="row" { (bar.label) }
                            td.number { (Count(bar.size)) }
                            td.number { (Share { part: bar.size, whole }) }
                            td {
                                svg.bar viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" aria-hidden="true" {
                                    rect.fill x="0" y="0" height=(HEIGHT)
                                        width=(at(WIDTH * bar.size as f64 / most as f64)) {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
