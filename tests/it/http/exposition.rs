//! The reader of Prometheus' text format itself: it accepts what is right, and nothing else.

use crate::support::exposition::parse;

#[test]
fn the_reader_itself_is_strict() {
    let page = parse("# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"q\\\"\"} 2\na 3\n");
    assert_eq!((page.value("a{x=\"1\",y=\"q\\\"\"}"), page.value("a")), (2.0, 3.0));
    let wrong = [
        "a 1",
        "a 1\n",
        "# TYPE a counter\na 1\n",
        "# HELP a b\n# TYPE a counter\na 1\na 2\n",
        "# HELP a b\n# TYPE a counter\nb 1\n",
        "# HELP a b\n# TYPE a counter\na{x=\"1} 1\n",
        "# HELP a b\n# TYPE a counter\na  1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
    ];
    for text in wrong {
        assert!(std::panic::catch_unwind(|| parse(text)).is_err(), "was taken: {text:?}");
    }
}
