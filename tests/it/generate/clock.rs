//! Random expressions that move with the clock: linear, and with no terms that cancel.

use super::draft::Draft;

/// Where an expression goes as the clock goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    Up,
    Down,
    /// It bends, or it depends on something of either sign.
    Any,
}

impl Way {
    fn turned(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            Self::Any => Self::Any,
        }
    }
}

const UNITS: [&str; 4] = ["days", "hours", "minutes", "seconds"];

fn unit_ms(unit: &str) -> f64 {
    match unit {
        "days" => 86_400_000.0,
        "hours" => 3_600_000.0,
        "minutes" => 60_000.0,
        _ => 1000.0,
    }
}

impl Draft {
    /// A length of the draft's pace, as a number of that unit.
    pub fn length_in(&mut self, unit: &str) -> String {
        let exact = self.duration().1 as f64 / unit_ms(unit);
        match self.dice.number(0, 5) {
            0 => format!("{exact:.3}"),
            1 => format!("{}", exact * 1.1),
            _ => format!("{exact}"),
        }
    }

    /// A single call that goes that way.
    fn call(&mut self, way: Way, unit: &str) -> String {
        let time = self.time_or_date();
        format!("{unit}_{}({time})", if way == Way::Up { "since" } else { "until" })
    }

    /// An expression, the deeper the more parts, and the way it goes.
    pub fn moving(&mut self, depth: u32, unit: &'static str) -> (String, Way) {
        let way = if self.dice.one_in(3) { Way::Down } else { Way::Up };
        if depth == 0 {
            return (self.call(way, unit), way);
        }
        let (inner, way) = self.moving(depth - 1, unit);
        let length = self.length_in(unit);
        let factor = self.dice.pick(&["2", "0.5", "3", "7", "0.1", "1e6", "1e-9"]);
        match self.dice.number(0, 17) {
            0 => (format!("({inner} + {length})"), way),
            1 => (format!("({inner} - {length})"), way),
            2 => (format!("({length} - {inner})"), way.turned()),
            3 => (format!("({inner} * {factor})"), way),
            4 => (format!("(-{factor} * {inner})"), way.turned()),
            5 => (format!("({inner} / {factor})"), way),
            6 => (format!("({} * {inner})", self.a_count()), way),
            7 => (format!("({inner} / {})", self.a_count()), way),
            8 => (format!("({inner} * {})", self.a_number()), Way::Any),
            9 => (format!("({inner} + {})", self.a_number()), way),
            10 | 11 => self.joined(inner, way, unit),
            12 => {
                let function = self.dice.pick(&["min", "max"]);
                (format!("{function}({inner}, {length})"), way)
            }
            13 => {
                let (other, other_way) = self.moving(depth - 1, unit);
                let function = self.dice.pick(&["min", "max"]);
                (format!("{function}({inner}, {other})"), if way == other_way { way } else { Way::Any })
            }
            14 | 15 => (format!("abs({inner} - {length})"), Way::Any),
            16 => {
                let condition = if self.dice.one_in(2) { self.clock_atom(0) } else { self.condition(0) };
                let (other, _) = self.moving(depth - 1, unit);
                (format!("(({condition}) ? {inner} : {other})"), Way::Any)
            }
            _ => (inner, way),
        }
    }

    /// With another call that goes the same way, in whatever unit: the slopes add up.
    fn joined(&mut self, inner: String, way: Way, unit: &str) -> (String, Way) {
        if way == Way::Any {
            return (format!("({inner} + {})", self.constant()), way);
        }
        let other_unit = if self.dice.one_in(3) { self.dice.pick(&UNITS) } else { unit };
        if self.dice.one_in(2) {
            (format!("({inner} + {})", self.call(way, other_unit)), way)
        } else {
            (format!("({inner} - {})", self.call(way.turned(), other_unit)), way)
        }
    }

    fn a_count(&mut self) -> String {
        if self.names.counts.is_empty() {
            return "2".to_owned();
        }
        self.dice.pick(&self.names.counts)
    }

    /// A comparison that the clock enters.
    pub fn clock_atom(&mut self, depth: u32) -> String {
        let unit = self.dice.pick(&UNITS);
        let depth = if depth > 0 { self.dice.number(0, i64::from(depth)) as u32 } else { 0 };
        let (moving, way) = self.moving(depth, unit);
        let comparison =
            if self.dice.one_in(12) { self.dice.pick(&["==", "!="]) } else { self.dice.pick(&[">=", ">", "<", "<="]) };
        let (moving, other) = match self.dice.number(0, 9) {
            0 => (moving, self.a_number()),
            1 => (moving, format!("{} * {}", self.a_number(), self.length_in(unit))),
            2 if way != Way::Any => (moving, self.call(way.turned(), unit)),
            3 => {
                // Doubles are coarse there: the first millisecond that differs is not where the line crosses.
                let far = self.dice.pick(&["1e6", "1e9", "1e12", "1e15"]);
                (format!("{moving} + {far}"), format!("{far} + {}", self.length_in(unit)))
            }
            // What is unknown has no bound there: what is beyond any finite double is another's question.
            4 if !self.partial => {
                // Products that may grow beyond any finite double, and are then absent.
                let far = self.dice.pick(&["1e300", "1e305", "1e307", "1e-300"]);
                (format!("{moving} * {far}"), format!("{} * {far}", self.length_in(unit)))
            }
            _ => (moving, self.length_in(unit)),
        };
        if self.dice.one_in(6) {
            format!("{other} {comparison} {moving}")
        } else {
            format!("{moving} {comparison} {other}")
        }
    }

    /// A value that moves, and increasing bounds for its bands.
    pub fn moving_bands(&mut self, depth: u32) -> (String, Vec<f64>) {
        let unit = self.dice.pick(&UNITS);
        let (moving, _) = self.moving(depth, unit);
        let mut bounds: Vec<f64> =
            (0..self.dice.number(1, 4)).map(|_| self.length_in(unit).parse().expect("a number")).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        (moving, bounds)
    }
}
