//! What a check saw, as JSON: written down when somebody asks for it, and then once.
//!
//! A document is judged far more often than its evidence is read, and writing it down costs more
//! than reaching the verdict. No verdict rests on what is written here.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A JSON object with names, algorithms, identifiers, dates and hashes of public data: never keys, an
/// MRZ or an image. A clone shares it.
#[derive(Clone)]
pub struct Evidence(Arc<Page<dyn Fn() -> Value + Send + Sync>>);

/// What is written, once it is, and how to write it.
struct Page<W: ?Sized> {
    written: OnceLock<Value>,
    write: W,
}

impl Evidence {
    /// What `write` says when it is first asked for.
    #[must_use]
    pub fn new(write: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(Page { written: OnceLock::new(), write }))
    }

    /// The evidence, written down.
    #[must_use]
    pub fn value(&self) -> &Value {
        self.0.written.get_or_init(|| (self.0.write)())
    }
}

impl From<Value> for Evidence {
    fn from(value: Value) -> Self {
        Self(Arc::new(Page { written: OnceLock::from(value), write: || Value::Null }))
    }
}

impl Deref for Evidence {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.value()
    }
}

impl PartialEq for Evidence {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

/// As it is written down: nothing else that it is made of.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.value(), f)
    }
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_written_once_and_when_somebody_asks() {
        let times = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&times);
        let evidence =
            Evidence::new(move || json!({ "times": counter.fetch_add(1, Ordering::Relaxed) }));
        let clone = evidence.clone();
        assert_eq!(times.load(Ordering::Relaxed), 0);
        assert_eq!(evidence["times"], 0);
        assert_eq!(json!(clone), json!({ "times": 0 }));
        assert_eq!(clone, Evidence::from(json!({ "times": 0 })));
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_it_is_made_of_is_not_shown() {
        let zone = "L898902C36UTO7408122F1204159".to_owned();
        let evidence = Evidence::new(move || json!({ "length": zone.len() }));
        assert_eq!(format!("{evidence:?}"), format!("{:?}", json!({ "length": 28 })));
    }
}
