//! How far what is shown is behind what was committed.

use maud::{Markup, html};

use super::figures::HistoryReach;
use super::words::OverviewWords;
use crate::serve::page::frame::PageReader;
use crate::serve::page::words::{Count, Times};
use crate::serve::replica::{ReplicaStatus, ReplicaView};

/// Lag, clocks, partitions that are being read, and the history's reach.
pub(super) fn health(
    reader: &PageReader,
    view: &ReplicaView,
    status: &ReplicaStatus,
    reach: Option<&HistoryReach>,
) -> Markup {
    let (say, times) = (OverviewWords(reader.language), reader.times(view));
    let lag: u64 = status.partitions.values().map(|progress| progress.lag()).sum();
    let restoring = status.partitions.values().filter(|progress| !progress.is_live).count() as u64;
    let clocks = view.clocks();
    let lag_of = |name| status.partitions.get(name).map_or(0, |progress| progress.lag());
    html! {
        section id="health" data-live aria-labelledby="health-title" {
            h2 id="health-title" { (say.health()) }
            dl.cards {
                div.card { dt { (say.lag()) } dd { (Count(lag)) } }
                div.card { dt { (say.partitions()) } dd { (Count(clocks.len() as u64)) } }
                @if let Some(count) = status.dead_letters {
                    div.card id="dead-letters" { dt title=(say.dead_letters_about()) { (say.dead_letters()) } dd { (Count(count)) } }
                }
            }
            @if let Some(failure) = &status.failure { p.problem lang="en" { (failure) } }
            @if restoring > 0 { p.notice { (say.restoring(Count(restoring))) } } @else { p { (say.all_live()) } }
            @if let Some(reach) = reach { (reach_note(&times, reach)) }
            details id="partitions" {
                summary { (say.partitions()) }
                table {
                    caption.hidden { (say.partitions_caption()) }
                    thead { tr {
                        th scope="col" { (say.partition()) }
                        th scope="col" { (say.clock()) }
                        th.number scope="col" { (say.lag()) }
                    } }
                    tbody {
                        @for (name, clock) in &clocks {
                            tr {
                                th scope="row" { (name.label()) }
                                td { @if let Some(clock) = clock { (times.second(*clock)) } @else { "–" } }
                                td.number { (Count(lag_of(name))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How far the history goes back, or why it says nothing.
pub(in crate::serve::page) fn reach_note(times: &Times, reach: &HistoryReach) -> Markup {
    let say = OverviewWords(times.language);
    html! {
        @match reach {
            HistoryReach::Off => { p.quiet { (say.history_off()) } }
            HistoryReach::Behind => { p.notice { (say.history_behind()) } }
            HistoryReach::Since(Some(since)) => { p.quiet { (say.history_reaches(&times.minute_text(*since))) } }
            HistoryReach::Since(None) => {}
        }
    }
}
