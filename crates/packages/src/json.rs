//! JSON, one entry at a time: a document as a whole would take many times the memory of its text.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::ParseError;

/// How many texts of one value are kept.
const TEXTS_AT_MOST: usize = 16;

/// A step from an object to one of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The value of this key.
    Key(&'static str),
    /// Each value in turn.
    Every,
    /// Each value in turn, but for that of this key.
    EveryBut(&'static str),
}

/// Hands over each entry of the object or array at the end of `path`: key (empty in an array) and value. Says whether
/// there was such a thing.
///
/// # Errors
/// `Malformed` when it is not JSON, is nested deeper than 128 levels, or an entry is no `T`. Entries before that were
/// handed over.
pub(crate) fn entries<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    path: &[Step],
    mut each: impl FnMut(&str, T),
) -> Result<bool, ParseError> {
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let mut reached = false;
    let walk = Walk { path, reached: &mut reached, each: &mut each, value: PhantomData };
    walk.deserialize(&mut document).and_then(|()| document.end()).map_err(malformed)?;
    Ok(reached)
}

/// What the parser says, as this crate says it.
pub(crate) fn malformed(error: serde_json::Error) -> ParseError {
    ParseError::Malformed(format!("not the JSON that is expected: {error}"))
}

struct Walk<'w, T, F> {
    path: &'w [Step],
    reached: &'w mut bool,
    each: &'w mut F,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(&str, T)> DeserializeSeed<'de> for Walk<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(&str, T)> Visitor<'de> for Walk<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else {
            *self.reached = true;
            while let Some(Str(key)) = map.next_key()? {
                (self.each)(&key, map.next_value()?);
            }
            return Ok(());
        };
        while let Some(Str(key)) = map.next_key()? {
            let taken = match step {
                Step::Key(wanted) => key == *wanted,
                Step::Every => true,
                Step::EveryBut(other) => key != *other,
            };
            if taken {
                map.next_value_seed(Walk {
                    path: rest,
                    reached: self.reached,
                    each: self.each,
                    value: PhantomData,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        if self.path.is_empty() {
            *self.reached = true;
            while let Some(value) = values.next_element()? {
                (self.each)("", value);
            }
        } else {
            while values.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
pub(crate) struct Str<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A text, or something else, which counts as none: tools write `false` or an object where a text is usual.
#[derive(Debug, Default)]
pub(crate) struct Text(Option<String>);

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Loose::deserialize(deserializer)?.text))
    }
}

/// The texts of a licence field: `"MIT"`, `{"type": "MIT"}`, or an array of these.
#[derive(Debug, Default)]
pub(crate) struct Licences(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Licences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Loose { text, mut inner } = Loose::deserialize(deserializer)?;
        inner.extend(text);
        Ok(Self(inner))
    }
}

/// The first element of an array, when it is a text.
#[derive(Debug, Default)]
pub(crate) struct First(Text);

impl First {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstVisitor)
    }
}

struct FirstVisitor;

impl<'de> Visitor<'de> for FirstVisitor {
    type Value = First;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<First, A::Error> {
        let first = values.next_element()?.unwrap_or_default();
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }
}

/// Any value, of which texts are kept: the value itself, or those in it.
#[derive(Default)]
struct Loose {
    text: Option<String>,
    inner: Vec<String>,
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose { text: Some(text.to_owned()), inner: Vec::new() })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Loose, E> {
        Ok(Loose::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::default())
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut loose = Loose::default();
        while let Some(Str(key)) = map.next_key()? {
            let value: Loose = map.next_value()?;
            if matches!(&*key, "type" | "name") && loose.inner.len() < TEXTS_AT_MOST {
                loose.inner.extend(value.text);
            }
        }
        Ok(loose)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Loose, A::Error> {
        let mut loose = Loose::default();
        while let Some(value) = values.next_element::<Loose>()? {
            let room = TEXTS_AT_MOST.saturating_sub(loose.inner.len());
            loose.inner.extend(value.inner.into_iter().chain(value.text).take(room));
        }
        Ok(loose)
    }
}
