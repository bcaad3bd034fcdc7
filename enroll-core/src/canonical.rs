//! JSON with one form only, so that the hash of a stored record can be computed again anywhere.
//!
//! Keys are sorted by their bytes, nothing is between tokens, and a fraction is rounded to six
//! decimals: such a number survives every reader and writer of JSON unchanged. Strings are as
//! `serde_json` writes them.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The one form of `value`.
#[must_use]
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(&normal(value), &mut out);
    out
}

/// SHA-256 of [`text`].
#[must_use]
pub fn sha256(value: &Value) -> [u8; 32] {
    Sha256::digest(text(value)).into()
}

/// `value` with its fractions rounded, which is what [`text`] writes.
#[must_use]
pub fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), normal(item))).collect(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(Value::Null, rounded),
        other => other.clone(),
    }
}

fn rounded(number: f64) -> Value {
    // Adding zero turns -0 into 0.
    Value::from((number * 1e6).round() / 1e6 + 0.0)
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => list(out, ['[', ']'], items.iter(), write),
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            list(out, ['{', '}'], members.into_iter(), |(key, item), out| {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(item, out);
            });
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn list<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    item: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, value) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        item(value, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_spacing_of_the_source_do_not_matter() {
        let a: Value = serde_json::from_str(r#"{"b": [1, {"d":2,"c":"é\n"}], "a": null}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":null,"b":[1,{"c":"é\n","d":2}]}"#).unwrap();
        assert_eq!(text(&a), r#"{"a":null,"b":[1,{"c":"é\n","d":2}]}"#);
        assert_eq!(sha256(&a), sha256(&b));
    }

    #[test]
    fn fractions_come_back_as_they_were() {
        for number in [0.1 + 0.2, 1.0 / 3.0, 123_456.789_012_34, -0.000_000_1, 1e-5, 0.999_999_9] {
            let first = text(&json!({ "score": number }));
            let again: Value = serde_json::from_str(&first).unwrap();
            assert_eq!(text(&again), first);
        }
        assert_eq!(text(&json!(f32::from_bits(0x3F4C_CCCD))), "0.8");
    }
}
