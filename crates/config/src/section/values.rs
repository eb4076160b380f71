//! Strings, secrets, numbers and other single values.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::duration::parse_duration;
use crate::path::Path;
use crate::secret::Secret;
use crate::value::Value;
use crate::variables::{MissingVariable, interpolate, referred_variable};

use super::Section;

impl<'d> Section<'d> {
    /// Returns the string at `key`, with its variables replaced.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.borrowed_text(key).map(Cow::into_owned)
    }

    /// Like [`Self::text`], but borrows the string from the document where possible.
    pub fn borrowed_text(&mut self, key: &'static str) -> Option<Cow<'d, str>> {
        let value = self.value(key)?;
        self.text_at(value, || self.path.member(key))
    }

    /// Returns the secret at `key`: a string, or OpenClaw's reference to an
    /// environment variable, `{ source: "env", id: "NAME" }`.
    pub fn secret(&mut self, key: &'static str) -> Option<Secret> {
        let value = self.value(key)?;
        let Some(reference) = value.as_object() else {
            return self.text(key).map(Secret::new);
        };
        let Some(name) = referred_variable(reference) else {
            self.fault(
                key,
                "must be a string, or `{ source: \"env\", id: \"NAME\" }`",
            );
            return None;
        };
        let secret = self.variable(name);
        if secret.is_none() {
            self.fault(key, &MissingVariable(name).to_string());
        }
        secret
    }

    /// Returns the boolean at `key`.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let flag = self.value(key)?.as_flag();
        if flag.is_none() {
            self.fault(key, "must be true or false");
        }
        flag
    }

    /// Returns whether the value at `key` is `false`, which disables a setting.
    pub fn is_false(&mut self, key: &'static str) -> bool {
        self.value(key).and_then(Value::as_flag) == Some(false)
    }

    /// Returns the integer at `key`, which must be in `range`.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self
            .value(key)?
            .as_whole_number()
            .filter(|n| range.contains(n));
        if number.is_none() {
            let (low, high) = (range.start(), range.end());
            self.fault(key, &format!("must be an integer from {low} to {high}"));
        }
        number
    }

    /// Returns the duration at `key`, such as `"15s"`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let text = self.text(key)?;
        let duration = parse_duration(&text);
        if duration.is_none() {
            self.fault(
                key,
                "must be a duration such as \"250ms\", \"15s\" or \"2m\"",
            );
        }
        duration
    }

    /// Returns the one of `choices` that the string at `key` names.
    pub fn choice<T: Clone>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let choice = choices.iter().find(|(name, _)| *name == text);
        if choice.is_none() {
            let names: Vec<_> = choices
                .iter()
                .map(|(name, _)| format!("\"{name}\""))
                .collect();
            self.fault(key, &format!("must be one of {}", names.join(", ")));
        }
        choice.map(|(_, value)| value.clone())
    }

    #[inline]
    pub(super) fn text_at(
        &self,
        value: &'d Value<'d>,
        path: impl FnOnce() -> Path<'d>,
    ) -> Option<Cow<'d, str>> {
        let Some(text) = value.as_text() else {
            self.record(path().to_string(), "must be a string");
            return None;
        };
        match interpolate(text, self.variables) {
            Ok(text) => Some(text),
            Err(missing) => {
                self.record(path().to_string(), &missing.to_string());
                None
            }
        }
    }
}
