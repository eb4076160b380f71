//! The content of a message: a string, or a list of parts.

use tidegate_json::{Kind, Member};

use crate::openai::request::{Content, Part, Raw, Text};
use crate::rejection::{Quote, Rejection};
use crate::runtime::ContentPart;

use super::images::{Images, UrlPolicy};
use super::place::Place;
use super::text_file;

/// What happens to the images of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageUse {
    /// The runtime gets them.
    Forwarded,
    /// The session has them already.
    Known,
    /// An author with this role cannot send any.
    Refused(&'static str),
}

/// Reads the contents of the messages of a request, within its limits.
#[derive(Debug)]
pub(super) struct ContentReader<'r> {
    images: Images<'r>,
    text_file_limit: usize,
}

impl<'r> ContentReader<'r> {
    /// Begins a request.
    pub(super) fn new(image_urls: &'r UrlPolicy, text_file_limit: usize) -> Self {
        Self {
            images: Images::new(image_urls),
            text_file_limit,
        }
    }

    /// Reads the content of a message that is not a tool's. No content is an empty list.
    ///
    /// # Errors
    /// Another type of value, and a part that cannot be used.
    pub(super) fn read(
        &mut self,
        content: Raw<'_>,
        images: ImageUse,
        place: Place,
    ) -> Result<Vec<ContentPart>, Rejection> {
        let content = parse(content, place)?;
        self.parsed(content, images, place)
    }

    fn parsed(
        &mut self,
        content: Member<Content<'_>>,
        images: ImageUse,
        place: Place,
    ) -> Result<Vec<ContentPart>, Rejection> {
        match content {
            Member::Absent | Member::Null => Ok(Vec::new()),
            Member::Is(Content::Text(text)) => Ok(visible(vec![text_part(text)])),
            Member::Is(Content::Parts(parts)) => self.parts(parts, images, place),
            Member::Not(kind) => Err(wrong_type(kind, place)),
        }
    }

    /// Reads the result of a tool. A value that is neither text nor a list of parts is its
    /// JSON text.
    ///
    /// # Errors
    /// A part that cannot be used.
    pub(super) fn read_result(
        &mut self,
        content: Raw<'_>,
        images: ImageUse,
        place: Place,
    ) -> Result<Vec<ContentPart>, Rejection> {
        let is_untyped = |part: &Part<'_>| matches!(part, Part::Untyped);
        match (content, parse(content, place)?) {
            (_, Member::Is(Content::Parts(parts))) if !parts.iter().any(is_untyped) => {
                self.parts(parts, images, place)
            }
            (Some(json), Member::Is(Content::Parts(_)) | Member::Not(_)) => {
                Ok(vec![ContentPart::Text(tidegate_json::without_whitespace(
                    json,
                ))])
            }
            (_, content) => self.parsed(content, images, place),
        }
    }

    fn parts(
        &mut self,
        parts: Vec<Part<'_>>,
        images: ImageUse,
        place: Place,
    ) -> Result<Vec<ContentPart>, Rejection> {
        let mut contents = Vec::with_capacity(parts.len());
        for (at, part) in parts.into_iter().enumerate() {
            contents.extend(self.part(part, at, images, place)?);
        }
        Ok(visible(contents))
    }

    fn part(
        &mut self,
        part: Part<'_>,
        at: usize,
        images: ImageUse,
        place: Place,
    ) -> Result<Option<ContentPart>, Rejection> {
        match part {
            Part::Text(text) => Ok(Some(text_part(text))),
            Part::Image(_) | Part::Without("image_url") if images == ImageUse::Known => Ok(None),
            Part::Image(url) => match images {
                ImageUse::Known => Ok(None),
                ImageUse::Forwarded => {
                    let image = self.images.read(&url);
                    image
                        .map(Some)
                        .map_err(|problem| reject_image(place, at, problem))
                }
                ImageUse::Refused(role) => {
                    let problem = format!(
                        "is an image, and a message of the role `{role}` cannot have one. Send it in a `user` message."
                    );
                    Err(place.reject_part(at, &problem))
                }
            },
            Part::File(file) => {
                let text = text_file::read(&file, self.text_file_limit);
                let text = text.map_err(|problem| Rejection::invalid(place.part(at), problem))?;
                Ok(Some(ContentPart::Text(text)))
            }
            Part::Without("image_url") => Err(reject_image(place, at, "the image has no `url`")),
            Part::Without(member) => Err(place.reject_part(at, &format!("has no `{member}`."))),
            Part::Other(kind) => {
                let kind = Quote(&kind);
                let problem = format!(
                    "has the type `{kind}`, which the agent cannot use. Use `text`, `image_url` or a text `file`."
                );
                Err(place.reject_part(at, &problem))
            }
            Part::Untyped => Err(place.reject_part(at, "must be an object with a `type`.")),
        }
    }
}

fn parse(content: Raw<'_>, place: Place) -> Result<Member<Content<'_>>, Rejection> {
    let Some(json) = content else {
        return Ok(Member::Absent);
    };
    // The text is JSON already, so only its nesting can be too deep.
    tidegate_json::parse(json.get()).map_err(|_| place.reject_content("nests too deep."))
}

fn wrong_type(kind: Kind, place: Place) -> Rejection {
    let problem = format!("must be a string or an array of parts, not {kind}.");
    place.reject_content(&problem)
}

#[cold]
#[inline(never)]
fn reject_image(place: Place, part: usize, problem: &str) -> Rejection {
    let list = place.list();
    let message = format!("Invalid image_url content in `{list}`: {problem}.");
    Rejection::invalid(place.part(part), message)
}

fn text_part(text: Text<'_>) -> ContentPart {
    ContentPart::Text(text.into_owned())
}

/// Removes empty texts, and all texts if they are only white space and there is no image.
fn visible(mut contents: Vec<ContentPart>) -> Vec<ContentPart> {
    contents.retain(|part| !matches!(part, ContentPart::Text(text) if text.is_empty()));
    let is_blank =
        |part: &ContentPart| matches!(part, ContentPart::Text(text) if text.trim().is_empty());
    if contents.iter().all(is_blank) {
        contents.clear();
    }
    contents
}
