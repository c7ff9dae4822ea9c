//! Commands as the read side writes them, read back by the decoder of the same catalog.

use serde_json::{Value as Json, json};
use tagstream::catalog::{Catalog, TagDefinition, load};
use tagstream::codec::{CommandAction, Decoder, NewCommand, write_command};
use tagstream::model::{Command, EntityKindId, Event, Timestamp};

use crate::generate::{Features, NOW_MS, case_with, seeds};

fn command<'a>(kind: EntityKindId, action: CommandAction<'a>) -> NewCommand<'a> {
    let at = Timestamp::from_ms(NOW_MS);
    NewCommand { kind, key: "ключ \"7\"", at, id: "1f", action, by: "crm", note: Some("asked for it") }
}

fn decoded(catalog: &Catalog, command: &NewCommand<'_>) -> Event {
    let record = write_command(catalog, command).expect("the type is in the value");
    let mut event = Event::default();
    let decoded = Decoder::new(catalog).decode(&record, Timestamp::from_ms(NOW_MS), &mut event);
    assert!(decoded.is_ok(), "{decoded:?}: {}", String::from_utf8_lossy(&record));
    assert_eq!(event.key_of(command.kind), Some(command.key));
    assert_eq!(event.time, command.at);
    event
}

#[test]
fn a_command_is_read_back_under_every_shape_of_input() {
    let mut set_count = 0;
    for seed in seeds(200) {
        let Some(catalog) = load(&case_with(seed, Features::ALL).catalog).catalog else { continue };
        let event = decoded(&catalog, &command(catalog.user(), CommandAction::Erase));
        assert!(matches!(event.command, Some(Command::Erase)), "seed {seed}");
        for (place, tag) in catalog.tags.iter().enumerate() {
            if tag.entity != catalog.user() || !matches!(tag.definition, TagDefinition::Manual { .. }) {
                continue;
            }
            set_count += 1;
            let value: Json = json!("gold");
            let action = CommandAction::SetTag { tag: &tag.name, value: &value, valid_for: Some("1h30m") };
            match decoded(&catalog, &command(tag.entity, action)).command {
                Some(Command::Set { tag, valid_for_ms, .. }) => {
                    assert_eq!((usize::from(tag.0), valid_for_ms), (place, Some(5_400_000)), "seed {seed}");
                }
                other => panic!("seed {seed}: {other:?}"),
            }
            match decoded(&catalog, &command(tag.entity, CommandAction::RemoveTag { tag: &tag.name })).command {
                Some(Command::Unset { tag }) => assert_eq!(usize::from(tag.0), place, "seed {seed}"),
                other => panic!("seed {seed}: {other:?}"),
            }
        }
    }
    assert!(set_count > 20, "only {set_count} manual tags");
}
