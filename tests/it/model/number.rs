//! How integers, decimals and doubles compare, and how they are written.

use std::cmp::Ordering::{Equal, Greater, Less};

use tagstream::model::{Decimal, Number};

fn decimal(text: &str) -> Number {
    Number::Decimal(Decimal::literal(text).expect("a decimal"))
}

#[test]
fn numbers_compare_exactly_where_both_are_exact() {
    let big = Number::Integer(9_007_199_254_740_993);
    for (a, b, order) in [
        (big, Number::Integer(9_007_199_254_740_992), Greater),
        (big, Number::Double(9_007_199_254_740_992.0), Greater),
        (big, Number::Double(9_007_199_254_740_994.0), Less),
        (big, decimal("9007199254740993"), Equal),
        (big, decimal("9007199254740992.999999999"), Greater),
        (Number::Integer(i64::MAX), Number::Double(9_223_372_036_854_775_808.0), Less),
        (Number::Integer(i64::MIN), Number::Double(-9_223_372_036_854_775_808.0), Equal),
        (Number::Integer(0), Number::Double(-0.0), Equal),
        (Number::Integer(0), Number::Double(-0.5), Greater),
        (Number::Integer(-1), Number::Double(-0.5), Less),
        (Number::Integer(1), Number::Double(1e300), Less),
        (decimal("0.3"), decimal("0.300000001"), Less),
        // A decimal that meets a double is the double nearest to it.
        (decimal("0.3"), Number::Double(0.3), Equal),
        (decimal("0.3"), Number::Double(0.1 + 0.2), Less),
        (decimal("9007199254740993"), Number::Double(9_007_199_254_740_992.0), Equal),
    ] {
        assert_eq!(a.compare(b), order, "{a} and {b}");
        assert_eq!(b.compare(a), order.reverse(), "{b} and {a}");
    }
}

#[test]
fn only_an_integer_beyond_doubles_has_no_double() {
    assert_eq!(Number::Integer(9_007_199_254_740_993).exact_f64(), None);
    assert_eq!(Number::Integer(9_007_199_254_740_994).exact_f64(), Some(9_007_199_254_740_994.0));
    assert_eq!(Number::Double(0.1).exact_f64(), Some(0.1));
    assert!(!Number::Integer(5).is_same(Number::Double(5.0)));
    assert_eq!(Number::Integer(5), Number::Double(5.0));
}
