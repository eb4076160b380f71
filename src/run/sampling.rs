//! Token limits, sampling and the response format.

use std::ops::RangeInclusive;

use tidegate_json::{Kind, Member, RawValue};

use crate::openai::request::{
    ChatCompletionRequest, JsonSchema, ResponseFormat as Format, Stop, Text,
};
use crate::rejection::Rejection;
use crate::runtime::{ResponseFormat, Sampling};

use super::schema::{DEPTH_LIMIT, depth};
use super::type_check::nullable;

/// JavaScript's `Number.MAX_SAFE_INTEGER`, 2^53 − 1.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The maximum number of stop texts.
const STOP_LIMIT: usize = 4;

/// Checks a token limit: `null`, or an integer from 1 to 2^53 − 1.
pub(super) fn check_cap(param: &'static str, cap: &Member<f64>) -> Result<(), Rejection> {
    nullable(param, "an integer", cap)?;
    let problem = match cap {
        Member::Is(cap) if *cap > MAX_SAFE_INTEGER => "must be at most 9007199254740991",
        Member::Is(cap) if cap.fract() != 0.0 => "must be an integer",
        Member::Is(cap) if *cap < 1.0 => "must be at least 1",
        Member::Is(_) | Member::Absent | Member::Null | Member::Not(_) => return Ok(()),
    };
    Err(Rejection::invalid(param, format!("`{param}` {problem}.")))
}

/// Checks the type of `stop`: `null`, a string, or an array of strings.
pub(super) fn check_stop(stop: &Member<Stop<'_>>) -> Result<(), Rejection> {
    let wrong = |kind: Kind| Rejection::wrong_type("stop", "a string or an array of strings", kind);
    match stop {
        Member::Not(kind) => Err(wrong(*kind)),
        Member::Is(Stop::Many(texts)) => texts.iter().try_for_each(|text| match text {
            Member::Is(_) => Ok(()),
            Member::Not(kind) => Err(wrong(*kind)),
            Member::Absent | Member::Null => Err(wrong(Kind::Null)),
        }),
        Member::Absent | Member::Null | Member::Is(Stop::One(_)) => Ok(()),
    }
}

/// Returns the token limit. The newer member overrides the older one.
pub(super) fn max_tokens(request: &ChatCompletionRequest<'_>) -> Option<u64> {
    let newer = request.max_completion_tokens.as_ok();
    let cap = newer.or(request.max_tokens.as_ok());
    // `check_cap` has checked the range, so the conversion is exact.
    cap.map(|cap| *cap as u64)
}

/// Reads the response format. The runtime interprets a schema.
pub(super) fn response_format(
    format: &Member<Format<'_>>,
) -> Result<Option<ResponseFormat>, Rejection> {
    let reject = |why: &str| {
        let message = format!("Invalid `response_format`: {why}.");
        Err(Rejection::invalid("response_format", message))
    };
    let format = match format {
        Member::Absent | Member::Null => return Ok(None),
        Member::Not(_) => return reject("it must be an object"),
        Member::Is(format) => format,
    };
    match format.kind.as_ok().map(AsRef::as_ref) {
        Some("text") => Ok(Some(ResponseFormat::Text)),
        Some("json_object") => Ok(Some(ResponseFormat::JsonObject)),
        Some("json_schema") => match format.json_schema {
            Some(schema) if depth(schema) > DEPTH_LIMIT => {
                reject("its `json_schema` nests deeper than 128 levels")
            }
            Some(schema) if has_schema(schema) => {
                Ok(Some(ResponseFormat::JsonSchema(schema.get().to_owned())))
            }
            _ => reject("its `json_schema` must be an object with a `schema`"),
        },
        _ => reject("its `type` must be `text`, `json_object` or `json_schema`"),
    }
}

fn has_schema(format: &RawValue) -> bool {
    let format: Result<Member<JsonSchema<'_>>, _> = tidegate_json::parse(format.get());
    let format = format.ok().and_then(Member::ok);
    let schema = format.and_then(|format| format.schema);
    schema.is_some_and(|schema| schema.get().starts_with('{'))
}

/// Reads the parameters of sampling.
pub(super) fn sampling(
    request: &ChatCompletionRequest<'_>,
    max_tokens: Option<u64>,
) -> Result<Sampling, Rejection> {
    Ok(Sampling {
        stop: stop(&request.stop)?,
        temperature: within("temperature", &request.temperature, 0.0..=2.0)?,
        top_p: within("top_p", &request.top_p, 0.0..=1.0)?,
        frequency_penalty: within("frequency_penalty", &request.frequency_penalty, -2.0..=2.0)?,
        presence_penalty: within("presence_penalty", &request.presence_penalty, -2.0..=2.0)?,
        seed: seed(&request.seed)?,
        max_tokens,
    })
}

fn stop(stop: &Member<Stop<'_>>) -> Result<Vec<String>, Rejection> {
    let texts: Vec<&Text<'_>> = match stop.as_ok() {
        None => return Ok(Vec::new()),
        Some(Stop::One(text)) => vec![text],
        Some(Stop::Many(texts)) => texts.iter().filter_map(Member::as_ok).collect(),
    };
    if texts.len() > STOP_LIMIT {
        return Err(Rejection::invalid("stop", "`stop` takes at most 4 texts."));
    }
    if texts.iter().any(|text| text.is_empty()) {
        return Err(Rejection::invalid(
            "stop",
            "`stop` must not contain an empty text.",
        ));
    }
    Ok(texts
        .into_iter()
        .map(|text| text.clone().into_owned())
        .collect())
}

pub(super) fn within(
    param: &'static str,
    number: &Member<f64>,
    range: RangeInclusive<f64>,
) -> Result<Option<f64>, Rejection> {
    match number.as_ok() {
        Some(number) if !range.contains(number) => {
            let (low, high) = (*range.start() as i8, *range.end() as i8);
            let message = format!("`{param}` must be between {low} and {high}.");
            Err(Rejection::invalid(param, message))
        }
        number => Ok(number.copied()),
    }
}

/// Reads the seed. A number beyond 2^53 − 1 would change on its way, because OpenClaw's
/// numbers are doubles.
fn seed(seed: &Member<f64>) -> Result<Option<i64>, Rejection> {
    let problem = match seed.as_ok() {
        Some(seed) if seed.fract() != 0.0 => "must be an integer",
        Some(seed) if seed.abs() > MAX_SAFE_INTEGER => {
            "must be between -9007199254740991 and 9007199254740991"
        }
        seed => return Ok(seed.map(|seed| *seed as i64)),
    };
    Err(Rejection::invalid("seed", format!("`seed` {problem}.")))
}
