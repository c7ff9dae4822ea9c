//! Who imports whom: parts in the order of `src/lib.rs`, the rooms of a part in the order of its `mod.rs`, and so on down.
//!
//! A *level* is a folder of `src/`; its *entries* are the modules that its map (`mod.rs`) declares, files and folders. An
//! import from one entry into another runs backwards in the order of the map as soon as one of the two is a folder; no
//! level that has folders has a circle. The files of a folder without folders are free among themselves. What a map
//! itself defines is open to all entries below it; what it only re-exports belongs to where it is defined.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Path, paths};
use super::sources::Source;
use super::tokens::tokens;

type Module = Vec<String>;

/// The modules of the library, and what they give names to by `use`.
struct Modules {
    all: BTreeSet<Module>,
    /// By module and name.
    uses: BTreeMap<(Module, String), Module>,
    /// By module: the modules that it declares, in order.
    declared: BTreeMap<Module, Vec<String>>,
}

/// An import from one module into another, neither within the other.
struct Import {
    /// The level at which the two part.
    level: Module,
    from: String,
    to: String,
    /// `src/a/b.rs:12 names crate::a::c::D`.
    place: String,
}

impl Modules {
    fn of(sources: &[Source]) -> Self {
        let mut modules = Modules { all: BTreeSet::new(), uses: BTreeMap::new(), declared: BTreeMap::new() };
        for source in sources {
            let Some(module) = source.module() else { continue };
            modules.all.insert(module.clone());
            modules.declared.insert(module, declared(&source.text));
        }
        for source in sources {
            let Some(module) = source.module() else { continue };
            for path in paths(&source.text).into_iter().filter(|path| path.inside.is_empty()) {
                if let (Some(name), Some(target)) = (path.name.clone(), modules.absolute(&module, &path)) {
                    modules.uses.insert((module.clone(), name), target);
                }
            }
        }
        modules
    }

    /// A path from the root of the library; `None`: it leads out of it.
    fn absolute(&self, module: &Module, path: &Path) -> Option<Module> {
        let mut absolute: Module = module.iter().chain(&path.inside).cloned().collect();
        let mut segments = path.segments.iter().map(String::as_str).peekable();
        match *segments.peek()? {
            "crate" => {
                absolute.clear();
                segments.next();
            }
            "self" => drop(segments.next()),
            "super" => {}
            first => {
                absolute.push(first.to_owned());
                if !self.all.contains(&absolute) {
                    return None;
                }
                segments.next();
            }
        }
        while segments.next_if_eq(&"super").is_some() {
            absolute.pop();
        }
        absolute.extend(segments.map(str::to_owned));
        Some(absolute)
    }

    /// The module in which what a path names is defined.
    fn resolve(&self, path: &[String], depth: usize) -> Module {
        let mut module = Module::new();
        for (index, segment) in path.iter().enumerate() {
            let mut inner = module.clone();
            inner.push(segment.clone());
            if self.all.contains(&inner) {
                module = inner;
            } else {
                let target = self.uses.get(&(module.clone(), segment.clone()));
                return match target.filter(|_| depth < 16) {
                    Some(target) => self.resolve(&[target.as_slice(), &path[index + 1..]].concat(), depth + 1),
                    None => module,
                };
            }
        }
        module
    }

    fn has_folders(&self, level: &Module) -> bool {
        self.all.iter().any(|module| module.len() > level.len() + 1 && module.starts_with(level))
    }

    fn is_folder(&self, level: &Module, entry: &str) -> bool {
        let inner = [level.as_slice(), &[entry.to_owned()]].concat();
        self.all.iter().any(|module| module.len() > inner.len() && module.starts_with(&inner))
    }

    /// The place of an entry in the order of its level's map.
    fn place(&self, level: &Module, entry: &str) -> Option<usize> {
        self.declared.get(level)?.iter().position(|declared| declared == entry)
    }

    fn imports(&self, sources: &[Source]) -> Vec<Import> {
        let mut imports = Vec::new();
        for source in sources {
            let Some(module) = source.module() else { continue };
            for path in paths(&source.text) {
                let Some(absolute) = self.absolute(&module, &path) else { continue };
                let target = self.resolve(&absolute, 0);
                let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                    let place = format!("{}:{} names {}", source.name, path.line, path.segments.join("::"));
                    imports.push(Import {
                        level: target[..shared].to_vec(),
                        from: from.clone(),
                        to: to.clone(),
                        place,
                    });
                }
            }
        }
        imports
    }
}

/// The modules that a source declares as files, in order.
fn declared(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let declarations = tokens.windows(3).filter(|three| three[0].is("mod") && three[2].is(";"));
    declarations.map(|three| three[1].text.clone()).collect()
}

fn written(level: &Module) -> String {
    if level.is_empty() { "src".to_owned() } else { format!("src/{}", level.join("/")) }
}

/// Parts that import what comes after them.
pub fn parts_out_of_order(sources: &[Source]) -> Vec<String> {
    out_of_order(sources, |level| level.is_empty())
}

/// Entries of a part that import what comes after them, and circles.
pub fn rooms_out_of_order(sources: &[Source]) -> Vec<String> {
    let mut findings = out_of_order(sources, |level| !level.is_empty());
    findings.extend(circles(sources));
    findings
}

fn out_of_order(sources: &[Source], is_meant: impl Fn(&Module) -> bool) -> Vec<String> {
    let modules = Modules::of(sources);
    let mut wrong: BTreeMap<(Module, String, String), Vec<String>> = BTreeMap::new();
    for Import { level, from, to, place } in modules.imports(sources) {
        let concerns_folder = modules.is_folder(&level, &from) || modules.is_folder(&level, &to);
        let is_ordered = level.is_empty() || concerns_folder;
        if is_meant(&level) && is_ordered && modules.place(&level, &to) >= modules.place(&level, &from) {
            wrong.entry((level, from, to)).or_default().push(place);
        }
    }
    let finding = |((level, from, to), places): ((Module, String, String), Vec<String>)| {
        let others = if places.len() > 1 { format!(" (and {} more)", places.len() - 1) } else { String::new() };
        let rule = format!("in {} {from} must not know {to}, which comes after it", written(&level));
        format!("{}: {rule}{others}", places[0])
    };
    wrong.into_iter().map(finding).collect()
}

/// Circles among the entries of levels that have folders.
fn circles(sources: &[Source]) -> Vec<String> {
    let modules = Modules::of(sources);
    let mut levels: BTreeMap<Module, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
    for Import { level, from, to, place } in modules.imports(sources) {
        if !level.is_empty() && modules.has_folders(&level) {
            levels.entry(level).or_default().entry(from).or_default().entry(to).or_insert(place);
        }
    }
    let mut findings = Vec::new();
    for (level, graph) in levels {
        let mut seen = BTreeSet::new();
        for start in graph.keys() {
            let Some(circle) = circle(&graph, start) else { continue };
            let mut members: Vec<&String> = circle.clone();
            members.sort();
            if seen.insert(members.into_iter().cloned().collect::<Vec<_>>()) {
                let steps = circle.iter().zip(circle.iter().cycle().skip(1));
                let places: Vec<&str> = steps.map(|(from, to)| &*graph[*from][*to]).collect();
                let names: Vec<&str> = circle.iter().map(|name| name.as_str()).collect();
                findings.push(format!(
                    "{}: {} is a circle:\n    {}",
                    written(&level),
                    names.join(" → "),
                    places.join("\n    ")
                ));
            }
        }
    }
    findings
}

/// A shortest way from an entry back to itself.
fn circle<'a>(graph: &'a BTreeMap<String, BTreeMap<String, String>>, start: &'a String) -> Option<Vec<&'a String>> {
    let mut ways = vec![vec![start]];
    let mut been = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in graph.get(*way.last()?).into_iter().flat_map(BTreeMap::keys) {
                if next == start {
                    return Some(way);
                }
                if been.insert(next) {
                    longer.push(way.iter().copied().chain([next]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}
