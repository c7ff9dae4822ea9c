//! The report of `tagstream test`: text for people, JUnit XML for CI.

use std::fmt::Write;

use super::case_runner::Failure;

#[derive(Debug)]
pub(crate) struct CaseReport {
    pub name: String,
    pub line: usize,
    /// Empty if the case passes.
    pub failures: Vec<Failure>,
}

#[derive(Debug)]
pub(crate) struct FileReport {
    pub name: String,
    /// `Err`: the problems of the file or of its catalog.
    pub cases: Result<Vec<CaseReport>, String>,
}

impl FileReport {
    pub(crate) fn has_cases(&self) -> bool {
        self.cases.as_ref().is_ok_and(|cases| !cases.is_empty())
    }

    pub(crate) fn passes(&self) -> bool {
        self.cases.as_ref().is_ok_and(|cases| cases.iter().all(|case| case.failures.is_empty()))
    }
}

/// The failures, then one line per file.
pub(crate) fn text(files: &[FileReport]) -> String {
    let mut report = String::new();
    for FileReport { name, cases } in files {
        let Ok(cases) = cases else {
            let _ = writeln!(report, "{name}: can't be run");
            continue;
        };
        let failing: Vec<&CaseReport> = cases.iter().filter(|case| !case.failures.is_empty()).collect();
        for case in &failing {
            let _ = writeln!(report, "FAILED {} ({name}:{})", case.name, case.line);
            for line in lines(case) {
                let _ = writeln!(report, "  {line}");
            }
            report.push('\n');
        }
        let all = if cases.len() == 1 { "1 case".to_owned() } else { format!("{} cases", cases.len()) };
        let _ = match failing.len() {
            0 => writeln!(report, "{name}: ok: {all}"),
            failed => writeln!(report, "{name}: FAILED: {failed} of {all}"),
        };
    }
    report
}

fn lines(case: &CaseReport) -> impl Iterator<Item = &str> {
    case.failures.iter().flatten().map(String::as_str)
}

/// The JUnit `testsuites` document that CI systems read.
pub(crate) fn junit(files: &[FileReport]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for FileReport { name, cases } in files {
        let suite = escaped(name);
        let cases = match cases {
            Ok(cases) => cases,
            Err(wrong) => {
                let wrong = escaped(wrong.trim_end());
                let _ = writeln!(xml, "  <testsuite name=\"{suite}\" tests=\"1\" failures=\"0\" errors=\"1\">");
                let _ = writeln!(xml, "    <testcase classname=\"{suite}\" name=\"the file can be run\">");
                let _ =
                    writeln!(xml, "      <error message=\"the test file or its catalog has errors\">{wrong}</error>");
                xml.push_str("    </testcase>\n  </testsuite>\n");
                continue;
            }
        };
        let failures = cases.iter().filter(|case| !case.failures.is_empty()).count();
        let tests = cases.len();
        let _ = writeln!(xml, "  <testsuite name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">");
        for case in cases {
            let _ = write!(
                xml,
                "    <testcase classname=\"{suite}\" name=\"{}\" file=\"{suite}\" line=\"{}\"",
                escaped(&case.name),
                case.line
            );
            if case.failures.is_empty() {
                xml.push_str("/>\n");
                continue;
            }
            let text: Vec<&str> = lines(case).collect();
            let first = text.first().copied().unwrap_or_default();
            let (first, all) = (escaped(first), escaped(&text.join("\n")));
            let _ = writeln!(xml, ">\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

/// Text escaped for XML, attributes included; characters that XML cannot represent become spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
