//! Expressions as tables: what they compile to, and how those that break a rule are told apart.

use tagstream::catalog::{Catalog, Expr, Motion, Source, TagDefinition, load};
use tagstream::model::Value;

const DECLARATIONS: &str = r#"
version: 1
attributes:
  plan: { from: profile, value: properties.plan, type: string }
  age: { from: profile, value: properties.age, type: number }
  vip: { from: profile, value: properties.vip, type: bool }
  any: { from: profile, value: properties.any }
  until: { from: profile, value: properties.until, type: time }
  born: { from: profile, value: properties.born, type: date }
counters:
  n: { count: "*" }
  a: { last: time, on: "*" }
  b: { first: time, on: "*" }
  late: { last: properties.x, on: "*" }
tags:
"#;

/// A catalog whose tag `t` has this value, as far as YAML is concerned always the same text.
fn with(expression: &str) -> String {
    format!(
        "{DECLARATIONS}  r: {{ when: n > 1 }}\n  t:\n    bands: [{{ name: x }}]\n    value: |-\n      {expression}\n"
    )
}

fn without_bands(expression: &str) -> String {
    with(expression).replace("    bands: [{ name: x }]\n", "")
}

/// Short for an expression: `(+ n 1)`.
fn shown(expr: &Expr, catalog: &Catalog) -> String {
    let list = |head: &str, parts: &[Expr]| {
        let parts: Vec<String> = parts.iter().map(|part| shown(part, catalog)).collect();
        format!("({head} {})", parts.join(" "))
    };
    match expr {
        Expr::Literal(Value::Number(n)) => n.to_string(),
        Expr::Literal(Value::String(s)) => format!("{s:?}"),
        Expr::Literal(other) => format!("{other:?}"),
        Expr::Attribute(id) => catalog.attributes[usize::from(id.0)].name.to_string(),
        Expr::Counter(id) => catalog.counters[usize::from(id.0)].name.to_string(),
        Expr::Tag(id) => format!("tag.{}", catalog.tags[usize::from(id.0)].name),
        Expr::Item(path) => catalog.source(Source::Item(*path)),
        Expr::Property(id) => format!("/{}", catalog.paths[id.index()].join("/")),
        Expr::Arithmetic(op, sides) => list(&format!("{op:?}"), &**sides),
        Expr::Compare { op, sides, motion } => {
            let mark = match motion {
                Motion::Still => "",
                Motion::Midnights => "'",
                Motion::Clock => "~",
            };
            list(&format!("{op:?}{mark}"), &**sides)
        }
        Expr::Calendar(function, of) => format!("{}({of:?})", function.name()),
        Expr::WallClock(part) => format!("{}(time)", part.name()),
        Expr::And(sides) => list("and", &**sides),
        Expr::Or(sides) => list("or", &**sides),
        Expr::Not(x) => list("not", std::slice::from_ref(x)),
        Expr::Negate(x) => list("neg", std::slice::from_ref(x)),
        Expr::ToDouble(x) => list("double", std::slice::from_ref(x)),
        Expr::Abs(x) => list("abs", std::slice::from_ref(x)),
        Expr::Has(x) => list("has", std::slice::from_ref(x)),
        Expr::Conditional(parts) => list("if", &**parts),
        Expr::In(x, items) => format!("{} in {}", shown(x, catalog), list("", items)),
        Expr::Contains(x, Source::Property(path)) => {
            format!("{} in /{}", shown(x, catalog), catalog.paths[path.index()].join("/"))
        }
        Expr::Contains(x, of) => format!("{} in {}", shown(x, catalog), catalog.source(*of)),
        Expr::Text(test, sides) => list(&format!("{test:?}"), &**sides),
        Expr::Since { unit, of } => format!("{}_since({of:?})", unit.name()),
        Expr::Until { unit, of } => format!("{}_until({of:?})", unit.name()),
        Expr::Between { unit, from, to } => format!("{}_between({from:?}, {to:?})", unit.name()),
        Expr::Time(name) => format!("{name:?}"),
        Expr::EventType => "type".to_owned(),
        Expr::Case(case, x) => list(&format!("{case:?}"), std::slice::from_ref(x)),
        Expr::Matches(x, pattern) => format!("(matches {} {:?})", shown(x, catalog), pattern.source()),
        Expr::Size(x) => list("size", std::slice::from_ref(x)),
        Expr::Share(name) => format!("(share {name:?})"),
    }
}

fn value(text: &str) -> Result<(Expr, Catalog), String> {
    let loaded = load(text);
    let catalog = loaded.catalog.ok_or_else(|| format!("{:?}", loaded.problems))?;
    let TagDefinition::Value { value, .. } = &catalog.tags[1].definition else { panic!() };
    Ok((value.expr.clone(), catalog.clone()))
}

#[test]
fn expressions_compile_to_what_they_say() {
    let table = [
        ("n + 2 * age", "(Add n (Multiply 2 age))"),
        ("(n - 1) / 2 % 3", "(Remainder (Divide (Subtract n 1) 2) 3)"),
        ("-n - -5", "(Subtract (neg n) -5)"),
        ("0x10 + .5 + 1e3", "(Add (Add 16 0.5) 1000)"),
        ("min(n, max(age, abs(-1)))", "(Min n (Max age (abs -1)))"),
        ("n >= 3 && n < 5 || !vip", "(or (and (GreaterOrEqual n 3) (Less n 5)) (not vip))"),
        ("vip ? n : age", "(if vip (double n) age)"),
        ("plan == 'gold' || plan != \"ag\"", "(or (Equal plan \"gold\") (NotEqual plan \"ag\"))"),
        ("plan in ['a', \"b\", plan]", "plan in ( \"a\" \"b\" plan)"),
        ("n in [1, age, any]", "n in ( 1 age any)"),
        ("plan.startsWith('g') && any.contains(plan)", "(and (StartsWith plan \"g\") (Contains any plan))"),
        (
            "has(any) && !has(until) && has(tag.r)",
            "(and (and (has any) (not (has Attribute(AttributeId(4))))) (has tag.r))",
        ),
        ("a > b", "(Greater Counter(CounterId(1)) Counter(CounterId(2)))"),
        ("until == first_seen", "(Equal Attribute(AttributeId(4)) FirstSeen)"),
        ("tag.r", "tag.r"),
        ("any + late", "(Add any late)"),
        ("any > 3 || any == 'x' || any", "(or (or (Greater any 3) (Equal any \"x\")) any)"),
        ("days_since(a) > 3", "(Greater~ days_since(Counter(CounterId(1))) 3)"),
        ("3 >= hours_until(until)", "(GreaterOrEqual~ 3 hours_until(Attribute(AttributeId(4))))"),
        ("minutes_between(b, last_seen)", "minutes_between(Counter(CounterId(2)), LastSeen)"),
        ("seconds_between(a, b) in [1]", "seconds_between(Counter(CounterId(1)), Counter(CounterId(2))) in ( 1)"),
        (r#"plan == "a\"bé\n""#, r#"(Equal plan "a\"bé\n")"#),
        ("n > 1 // a comment", "(Greater n 1)"),
        ("plan.lowerAscii() == any.upperAscii()", "(Equal (Lower plan) (Upper any))"),
        (r"plan.matches(r'^\d+$') || any.matches('a')", r#"(or (matches plan "^\\d+$") (matches any "a"))"#),
        ("size(plan) + size(any)", "(Add (size plan) (size any))"),
        ("born == date('2026-11-27')", "(Equal Attribute(AttributeId(5)) Date(Date(20784)))"),
        ("until < date('1970-01-01')", "(Less Attribute(AttributeId(4)) Date(Date(0)))"),
        ("a > timestamp('1970-01-01T00:00:01+01:00')", "(Greater Counter(CounterId(1)) Instant(Timestamp(-3599000)))"),
        ("years_since(born) >= 18", "(GreaterOrEqual' years_since(Attribute(AttributeId(5))) 18)"),
        ("dates_until(date('9999-12-31')) % 7 * n", "(Multiply (Remainder dates_until(Date(Date(2932896))) 7) n)"),
        (
            "dates_since(a) * days_since(b) > 3",
            "(Greater~ (Multiply dates_since(Counter(CounterId(1))) days_since(Counter(CounterId(2)))) 3)",
        ),
        ("days_between(born, date('1970-01-01'))", "days_between(Attribute(AttributeId(5)), Date(Date(0)))"),
        ("dates_to_anniversary(born) in [0, 3]", "dates_to_anniversary(Attribute(AttributeId(5))) in ( 0 3)"),
        ("share('spring') < 0.1", r#"(Less (share "spring") 0.1)"#),
    ];
    for (expression, expected) in table {
        let (expr, catalog) = value(&without_bands(expression)).unwrap_or_else(|e| panic!("{expression}: {e}"));
        assert_eq!(shown(&expr, &catalog), expected, "{expression}");
    }
}

#[test]
fn literals_are_those_of_cel() {
    let table = [
        (r#"plan == "\x41\u00e9\101\t\"\'\\\?\`""#, r#"(Equal plan "AéA\t\"'\\?`")"#),
        (r"plan == r'\d'", r#"(Equal plan "\\d")"#),
        ("plan == '''it's'''", r#"(Equal plan "it's")"#),
        ("n == 0x1F", "(Equal n 31)"),
        ("n == - 5", "(Equal n -5)"),
        ("n == --5", "(Equal n 5)"),
        ("n == .5e-1", "(Equal n 0.05)"),
        // Beyond 64 bits it is a double, as every literal beyond ±10¹⁸ (spec 9.1).
        ("n > 99999999999999999999", "(Greater n 100000000000000000000)"),
        ("!!vip", "vip"),
    ];
    for (expression, expected) in table {
        let (expr, catalog) = value(&without_bands(expression)).unwrap_or_else(|e| panic!("{expression}: {e}"));
        assert_eq!(shown(&expr, &catalog), expected, "{expression}");
    }
    let wrong = [
        (r"plan == '\q'", "this text holds an escape that means nothing"),
        (r"plan == '\ud800'", "this text holds an escape that means nothing"),
        ("n > 1e999", "this number is too large"),
        ("n > 1_0", "`1_0` can't stand here"),
        ("n > 1 ? 2 :", "the expression ends too early"),
        ("n > while", "`while` is a reserved word"),
        ("n.in > 1", "`in` can't stand here"),
        (".f(n) > 1", "a name can't begin with a dot"),
    ];
    for (expression, message) in wrong {
        let error = value(&without_bands(expression)).expect_err(expression);
        assert!(error.contains(message), "{expression}: {error}");
    }
}

#[test]
fn the_clock_enters_linearly() {
    let fine = [
        "days_since(a)",
        "2 * days_since(a) + n - hours_since(b) / age",
        "n * days_since(a) - days_since(b)",
        "days_since(a) + days_since(b)",
        "days_since(a) - days_until(b)",
        "max(days_since(a), 3) - days_since(b)",
        "abs(days_since(a) - 3)",
        "vip ? days_since(a) : n",
        "days_since(a) - hours_since(b)",
        "days_between(a, b) % 7",
        "days_between(a, b) * days_since(a)",
        "(days_since(a) > 3 ? 1 : 0) * (days_since(b) > 3 ? 1 : 0)",
        "(days_since(a) > 3 ? 1 : 0) % 2",
        "-days_since(a) + 2 * days_since(b)",
    ];
    for expression in fine {
        value(&with(expression)).unwrap_or_else(|error| panic!("{expression}: {error}"));
    }
    let bent = [
        "days_since(a) * days_since(b)",
        "n / days_since(a)",
        "days_since(a) % 2",
        "n % days_since(a)",
        "days_since(a) - days_since(b)",
        "days_since(a) + days_until(b)",
        "hours_since(a) - 24 * days_since(b)",
        "minutes_since(a) / 60 - hours_since(b)",
        "-days_since(a) + days_since(b)",
        "n + days_since(a) - (age + days_since(b))",
        "min(days_since(a), days_since(b)) - days_since(first_seen)",
        "(vip ? days_since(a) : days_since(b)) - days_since(first_seen)",
        "0 * days_since(a)",
        "(1 - 1) * days_since(a)",
        "days_since(a) in [1] ? 1 : 0",
        "1 in [days_since(a)] ? 1 : 0",
        "days_since(a) < days_since(b) ? 1 : 0",
        "days_since(a) == hours_since(b) / 24 ? 1 : 0",
    ];
    for expression in bent {
        let loaded = load(&with(expression));
        let codes: Vec<&str> = loaded.problems.iter().map(|problem| problem.code).collect();
        assert!(codes.contains(&"clock"), "{expression}: {:?}", loaded.problems);
    }
    assert!(value(&without_bands("days_since(a) > 3")).is_ok());
    assert!(value(&without_bands("days_since(a)")).is_err());
    assert!(value(&without_bands("vip ? days_since(a) : n")).is_err());
}

#[test]
fn a_where_sees_the_event() {
    let table = [
        ("properties.amount > 3", "(Greater /amount 3)"),
        ("type == 'x' && time == time", "(and (Equal type \"x\") (Equal Event Event))"),
        ("properties[\"a b\"].c.d['e'] == 'x'", "(Equal /a b/c/d/e \"x\")"),
        ("'Comedy' in properties.genres", "\"Comedy\" in /genres"),
        ("properties.a in properties.b || properties.a in [1, 'x']", "(or /a in /b /a in ( 1 \"x\"))"),
        ("has(properties.a) && !properties.b", "(and (has /a) (not /b))"),
        ("days_between(time, time) < 1", "(Less days_between(Event, Event) 1)"),
        ("properties.tag.time == properties.type", "(Equal /tag/time /type)"),
        ("hour(time) >= 18 && weekday(time) in [6, 7]", "(and (GreaterOrEqual hour(time) 18) weekday(time) in ( 6 7))"),
        ("time < date('1970-01-01') || month(time) == 2", "(or (Less Event Date(Date(0))) (Equal month(time) 2))"),
        ("size(properties.a) > 1 && type.matches('^a')", "(and (Greater (size /a) 1) (matches type \"^a\"))"),
        ("properties.a.lowerAscii() in properties.b", "(Lower /a) in /b"),
    ];
    for (expression, expected) in table {
        let text = format!("version: 1\ncounters:\n  c:\n    count: x\n    where: |-\n      {expression}\n");
        let loaded = load(&text);
        let catalog = loaded.catalog.unwrap_or_else(|| panic!("{expression}: {:?}", loaded.problems));
        assert_eq!(shown(catalog.counters[0].filter.as_ref().unwrap(), &catalog), expected, "{expression}");
    }
}

#[test]
fn leaves_are_mentioned_once_and_in_order() {
    let table = [
        ("n + age + n", "n age"),
        ("days_since(a) + hours_since(a) + days_since(a)", "days_since(a) hours_since(a)"),
        ("vip && a > b ? days_between(b, until) : n", "vip a b until n"),
        ("has(plan) && tag.r ? abs(age) : -n", "plan tag.r age n"),
        ("plan in ['x', any] && last_seen > a ? 1 : days_until( until )", "plan any last_seen a days_until(until)"),
    ];
    for (expression, expected) in table {
        let loaded = load(&with(expression));
        let catalog = loaded.catalog.unwrap_or_else(|| panic!("{expression}: {:?}", loaded.problems));
        let TagDefinition::Value { value, .. } = &catalog.tags[1].definition else { panic!() };
        let labels: Vec<&str> = value.reported.iter().map(|leaf| &*leaf.label).collect();
        assert_eq!(labels.join(" "), expected, "{expression}");
    }
}
