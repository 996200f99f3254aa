//! Scalars: which may be replaced, and how a value is spelled in their place.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::Refused;

/// A scalar with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) value: String,
    pub(super) style: ScalarStyle,
    /// Its bytes in the text, quotes included.
    pub(super) range: Range<usize>,
}

impl Scalar {
    /// Says what keeps it from being replaced.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.style {
            ScalarStyle::Plain if self.range.is_empty() => Err("is empty; write any value"),
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Ok(()),
            _ => Err("is a block scalar; write it on one line"),
        }
    }
}

/// Replaces scalars of a text, which keep their style of quoting.
pub(crate) fn replace(text: &str, edits: &[(&Scalar, String)]) -> Result<String, Refused> {
    let mut edits: Vec<&(&Scalar, String)> = edits.iter().collect();
    edits.sort_by_key(|(scalar, _)| scalar.range.start);
    let mut edited = String::with_capacity(text.len());
    let mut copied = 0;
    for (scalar, value) in edits {
        let range = scalar.range.clone();
        let (before, old) = (text.get(copied..range.start), text.get(range.clone()));
        let (Some(before), Some(old)) = (before, old) else {
            return Err(Refused::new("its parser told places that overlap"));
        };
        if !is_spelled(old, scalar) {
            return Err(Refused(format!(
                "the value `{}` does not stand on one line",
                scalar.value.escape_debug()
            )));
        }
        edited.push_str(before);
        edited.push_str(&spell(value, scalar.style)?);
        copied = range.end;
    }
    edited.push_str(&text[copied..]);
    Ok(edited)
}

/// Tells whether these bytes are the whole of a scalar, on one line.
fn is_spelled(bytes: &str, scalar: &Scalar) -> bool {
    let quoted = |quote: char| bytes.len() >= 2 && bytes.starts_with(quote) && bytes.ends_with(quote);
    let whole = match scalar.style {
        ScalarStyle::SingleQuoted => quoted('\''),
        ScalarStyle::DoubleQuoted => quoted('"'),
        _ => bytes == scalar.value,
    };
    whole && !bytes.contains(['\n', '\r'])
}

/// Writes a value in a style; a plain one gets quotes where it would not be read as text.
fn spell(value: &str, style: ScalarStyle) -> Result<String, Refused> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    if value.is_empty() || !value.chars().all(harmless) {
        return Err(Refused(format!("the new value `{}` can't be written", value.escape_debug())));
    }
    Ok(match style {
        ScalarStyle::SingleQuoted => format!("'{value}'"),
        ScalarStyle::Plain if is_text(value) => value.to_owned(),
        _ => format!("\"{value}\""),
    })
}

/// Tells whether YAML 1.1 and 1.2 both read a plain scalar as text: no number, date, truth value or null.
fn is_text(value: &str) -> bool {
    const WORDS: [&str; 11] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "="];
    let lower = value.to_ascii_lowercase();
    let digits = lower.replace('_', "");
    let unsigned = digits.trim_start_matches(['+', '-']);
    let based = ["0x", "0o", "0b"].iter().any(|base| unsigned.starts_with(base));
    let date = lower.len() >= 8
        && lower.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && lower.as_bytes()[4] == b'-'
        && lower.bytes().all(|c| c.is_ascii_digit() || b"-:.+tz".contains(&c));
    let sexagesimal =
        lower.contains(':') && lower.bytes().all(|c| c.is_ascii_digit() || b":._+-".contains(&c));
    let starts_well = value.starts_with(|c: char| c.is_ascii_alphanumeric() || "._/".contains(c));
    let ends_well = !value.ends_with(':');
    let number = digits.parse::<f64>().is_ok() || digits.starts_with(".inf") || digits.starts_with(".nan");
    starts_well && ends_well && !WORDS.contains(&lower.as_str()) && !number && !based && !date && !sexagesimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_would_not_be_read_as_text_are_quoted() {
        for value in [
            "1.10",
            "12e3",
            "1234e567",
            "0x1f",
            "2026-11-23",
            "true",
            "No",
            "1_000",
            ".5",
            "007",
            "nan",
            "12:30",
        ] {
            assert_eq!(spell(value, ScalarStyle::Plain).unwrap(), format!("\"{value}\""));
        }
        for value in
            ["v1.10", "1.10.2", "7d1043473d55bfa9", "sha256:12", "localhost:5000/web", "latest", "1.0-rc1"]
        {
            assert_eq!(spell(value, ScalarStyle::Plain).unwrap(), value);
        }
    }

    #[test]
    fn quotes_stay_and_nothing_can_break_out_of_them() {
        assert_eq!(spell("1.10", ScalarStyle::SingleQuoted).unwrap(), "'1.10'");
        assert_eq!(spell("v1", ScalarStyle::DoubleQuoted).unwrap(), "\"v1\"");
        for bad in ["", "a b", "a\nb: c", "a'b", "a\"b", "a#b", "{a}"] {
            assert!(spell(bad, ScalarStyle::Plain).is_err(), "{bad:?}");
        }
    }
}
