//! A random catalog as its author edits it: what a deployment goes on with.

use serde_json::{Map, Value};

use super::dice::Dice;
use super::{Case, yaml};

/// The keys of a counter that another counter may lend.
const LENT: [&str; 7] = ["window", "gap", "within", "since", "where", "each", "limit"];

/// The catalog after a few edits, some of which only give things other names or places. `donor` is a case of the same
/// features, from which counters and their parts come.
pub fn edited(case: &Case, donor: &Case, seed: u64) -> String {
    let mut dice = Dice::new(seed ^ 0xed17);
    let read = |text: &str| serde_saphyr::from_str::<Value>(text).expect("a YAML file");
    let (mut catalog, donor) = (read(&case.catalog), read(&donor.catalog));
    let mut edits = dice.number(1, 6);
    for number in 0..40 {
        let mut next = catalog.clone();
        edit(&mut next, &donor, number, &mut dice);
        // Some edits leave what another one needs, or break what the catalog must be.
        if next != catalog && tagstream::catalog::load(&yaml::write(&next)).catalog.is_some() {
            catalog = next;
            edits -= 1;
        }
        if edits == 0 {
            break;
        }
    }
    yaml::write(&catalog)
}

fn edit(catalog: &mut Value, donor: &Value, number: i64, dice: &mut Dice) {
    match dice.number(0, 13) {
        0 => rename(catalog, "counters", number, dice),
        1 => rename(catalog, "tags", number, dice),
        2 => rename(catalog, "attributes", number, dice),
        3 => shuffle(catalog, dice),
        4 | 5 => rewindow(catalog, donor, dice),
        6..=8 => borrow(catalog, donor, dice),
        9 => copy(catalog, number, dice),
        10 => add(catalog, donor, number, dice),
        11 => remove(catalog, dice),
        12 => swap_tags(catalog, dice),
        _ => lose(catalog, dice),
    }
}

fn entries<'a>(catalog: &'a mut Value, section: &str) -> &'a mut Map<String, Value> {
    let entries = &mut catalog[section];
    if entries.is_null() {
        *entries = Map::new().into();
    }
    entries.as_object_mut().expect("a map")
}

fn any_name(catalog: &Value, section: &str, dice: &mut Dice) -> Option<String> {
    let names: Vec<&String> = catalog[section].as_object()?.keys().collect();
    if names.is_empty() { None } else { Some(dice.pick(&names).clone()) }
}

/// Replaces a word in all texts of a value.
fn replace(value: &mut Value, word: &str, by: &str) {
    match value {
        Value::String(text) => {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let (mut replaced, mut rest) = (String::new(), text.as_str());
            while let Some(at) = rest.find(word) {
                let (before, after) = (&rest[..at], &rest[at + word.len()..]);
                let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
                replaced.push_str(before);
                replaced.push_str(if is_whole { by } else { word });
                rest = after;
            }
            replaced.push_str(rest);
            *text = replaced;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, word, by)),
        Value::Object(members) => members.values_mut().for_each(|own| replace(own, word, by)),
        _ => {}
    }
}

fn rename(catalog: &mut Value, section: &str, number: i64, dice: &mut Dice) {
    let Some(name) = any_name(catalog, section, dice) else { return };
    let other = format!("{name}_n{number}");
    let (word, by) = match section {
        "tags" => (format!("tag.{name}"), format!("tag.{other}")),
        _ => (name.clone(), other.clone()),
    };
    replace(&mut catalog["tags"], &word, &by);
    let renamed = std::mem::take(entries(catalog, section)).into_iter();
    *entries(catalog, section) =
        renamed.map(|(own, entry)| (if own == name { other.clone() } else { own }, entry)).collect();
}

fn shuffle(catalog: &mut Value, dice: &mut Dice) {
    let section = dice.pick(&["counters", "tags", "attributes"]);
    let mut all: Vec<(String, Value)> = std::mem::take(entries(catalog, section)).into_iter().collect();
    dice.shuffle(&mut all);
    *entries(catalog, section) = all.into_iter().collect();
}

/// Gives a counter the window of another. What `top` makes room for depends on the window from the beginning on.
fn rewindow(catalog: &mut Value, donor: &Value, dice: &mut Dice) {
    let from = if dice.one_in(2) { catalog.clone() } else { donor.clone() };
    let (Some(name), Some(lender)) = (any_name(catalog, "counters", dice), any_name(&from, "counters", dice)) else {
        return;
    };
    let counter = entries(catalog, "counters")[&name].as_object_mut().expect("a map");
    if counter.contains_key("top") {
        return;
    }
    for word in ["window", "calendar", "ago", "resolution"] {
        counter.shift_remove(word);
        counter.extend(from["counters"][&lender].get(word).map(|own| (word.to_owned(), own.clone())));
    }
}

/// Gives a counter a part of another, or takes a part away.
fn borrow(catalog: &mut Value, donor: &Value, dice: &mut Dice) {
    let word = dice.pick(&LENT);
    let from = if dice.one_in(2) { catalog.clone() } else { donor.clone() };
    let lenders: Vec<&Value> = from["counters"].as_object().into_iter().flatten().map(|(_, own)| own).collect();
    let lent: Vec<&Value> = lenders.into_iter().filter_map(|own| own.get(word)).collect();
    let Some(name) = any_name(catalog, "counters", dice) else { return };
    let counter = entries(catalog, "counters")[&name].as_object_mut().expect("a map");
    if counter.contains_key("top") && word == "window" {
        return;
    }
    if lent.is_empty() || dice.one_in(3) {
        counter.shift_remove(word);
    } else {
        counter.insert(word.to_owned(), dice.pick(&lent).clone());
    }
}

/// A second counter that takes the same events, over another window as often as not, and a tag that shows it.
fn copy(catalog: &mut Value, number: i64, dice: &mut Dice) {
    let Some(name) = any_name(catalog, "counters", dice) else { return };
    let mut counter = catalog["counters"][&name].clone();
    if dice.one_in(2) && counter.get("top").is_none() {
        counter.as_object_mut().expect("a map").shift_remove("window");
    }
    show(catalog, &format!("copy_{number}"), counter);
}

/// A counter of another catalog, and a tag that shows it.
fn add(catalog: &mut Value, donor: &Value, number: i64, dice: &mut Dice) {
    if let Some(name) = any_name(donor, "counters", dice) {
        show(catalog, &format!("added_{number}"), donor["counters"][&name].clone());
    }
}

fn show(catalog: &mut Value, name: &str, counter: Value) {
    let mut tag = serde_json::json!({ "value": name });
    if let Some(entity) = counter.get("entity") {
        tag["entity"] = entity.clone();
    }
    entries(catalog, "counters").insert(name.to_owned(), counter);
    entries(catalog, "tags").insert(format!("{name}_shown"), tag);
}

fn remove(catalog: &mut Value, dice: &mut Dice) {
    let section = dice.pick(&["counters", "tags", "attributes"]);
    if let Some(name) = any_name(catalog, section, dice) {
        entries(catalog, section).shift_remove(&name);
    }
}

/// Two tags change their names.
fn swap_tags(catalog: &mut Value, dice: &mut Dice) {
    let [Some(one), Some(other)] = [(); 2].map(|()| any_name(catalog, "tags", dice)) else { return };
    let tags = entries(catalog, "tags");
    let (first, second) = (tags[&one].clone(), tags[&other].clone());
    tags.insert(one, second);
    tags.insert(other, first);
}

/// A tag loses its patience.
fn lose(catalog: &mut Value, dice: &mut Dice) {
    let word = dice.pick(&["until", "for", "keep_for", "margin", "bands"]);
    if let Some(name) = any_name(catalog, "tags", dice) {
        entries(catalog, "tags")[&name].as_object_mut().expect("a map").shift_remove(word);
    }
}
