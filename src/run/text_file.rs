//! Text files in a message: a file becomes text under its name.

use crate::openai::request::File;

use super::data_uri::{DataUri, Problem, decode_base64};

/// The maximum length of a file's name, in characters.
const NAME_LIMIT: usize = 255;

/// The media types of text outside of `text/*`, separated by spaces.
const TEXT_TYPES: &str = "\
    application/csv application/ecmascript application/graphql application/javascript \
    application/json application/jsonl application/ndjson application/sql \
    application/toml application/typescript application/x-httpd-php \
    application/x-javascript application/x-ndjson application/x-sh application/x-yaml \
    application/xml application/yaml";

/// The suffixes of structured text (RFC 6839, RFC 9512).
const TEXT_SUFFIXES: [&str; 3] = ["+json", "+xml", "+yaml"];

/// The extensions of text, in lower case and separated by spaces.
const TEXT_EXTENSIONS: &str = "\
    adoc asm astro awk bash bat bib c cc cfg clj cljs cmake cmd conf cpp cs css csv cts \
    cxx d dart diff el elm env erl ex exs f90 fish fs gd geojson go gradle graphql \
    groovy h hcl hh hpp hrl hs htm html ics ini ipynb java jl js json json5 jsonc jsonl \
    jsx kt kts less lisp log lua m make markdown md mdx mjs mk ml mli mm mts ndjson nim \
    nix org patch php pl plist pm po properties proto ps1 pug py pyi r rb rs rst sass \
    scala scm scss sh sol sql srt sv svelte svg swift tcl tex text tf tfvars toml ts tsv \
    tsx txt v vb vhd vhdl vim vtt vue wast wat wgsl wit xhtml xml xsd xsl yaml yml zig \
    zsh";

/// The names of text files without an extension, in the same form.
const TEXT_NAMES: &str = "\
    .dockerignore .editorconfig .env .gitattributes .gitignore .npmrc authors brewfile \
    changelog codeowners copying dockerfile gemfile jenkinsfile justfile license \
    makefile notice procfile rakefile readme vagrantfile";

/// Returns the text of a file, headed by its name.
///
/// # Errors
/// A file without data, one that is not text, and one of more than `limit` bytes: the
/// problem, as a sentence.
pub(super) fn read(file: &File<'_>, limit: usize) -> Result<String, String> {
    let sent_name = file.name.as_ok().map_or("", AsRef::as_ref);
    let name = name(sent_name);
    match text(file, sent_name, limit) {
        Ok(text) => Ok(["[file: ", &name, "]\n", &text].concat()),
        Err(TOO_LARGE) => Err(format!("The file `{name}` is larger than {limit} bytes.")),
        Err(problem) => Err(format!("The file `{name}` cannot be used: {problem}.")),
    }
}

fn text(file: &File<'_>, name: &str, limit: usize) -> Result<String, Problem> {
    let data = file.data.as_ok();
    let data = data.ok_or("send its content as `file_data`, because ids and URLs are not read")?;
    let is_uri = data.trim_start().starts_with("data:");
    let (media_type, payload) = match is_uri {
        true => DataUri::parse(data).map(|uri| (uri.media_type, uri.payload))?,
        false => (String::new(), data.as_ref()),
    };
    let bytes = decode_base64(payload, limit, TOO_LARGE)?;
    if bytes.starts_with(b"%PDF") {
        return Err("it is a PDF; send its text");
    }
    if !is_text(&media_type, name) {
        return Err(
            "neither its name nor its media type is that of text, such as Markdown, JSON or code",
        );
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")?;
    if text.contains('\0') {
        return Err("it is binary, not text");
    }
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

const TOO_LARGE: Problem = "it is too large";

/// Returns the name without control characters and line breaks.
fn name(name: &str) -> String {
    let is_line_break = |c: &char| matches!(c, '\u{2028}' | '\u{2029}');
    let shown = name
        .chars()
        .filter(|c| !c.is_control() && !is_line_break(c));
    let name: String = shown.take(NAME_LIMIT).collect();
    match name.trim() {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns whether a file is text. A type that can hold anything leaves it to the name.
fn is_text(media_type: &str, name: &str) -> bool {
    match media_type {
        "" | "application/octet-stream" | "binary/octet-stream" => has_text_name(name),
        // TypeScript's extension is also that of a video format.
        "video/mp2t" | "video/vnd.dlna.mpeg-tts" => has_text_name(name),
        _ => {
            media_type.starts_with("text/")
                || has_word(TEXT_TYPES, media_type)
                || TEXT_SUFFIXES
                    .iter()
                    .any(|suffix| media_type.ends_with(suffix))
        }
    }
}

fn has_text_name(name: &str) -> bool {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    has_word(TEXT_NAMES, &name) || has_word(TEXT_EXTENSIONS, extension)
}

fn has_word(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use tidegate_json::Member;

    use super::*;
    use crate::run::data_uri::BASE64;

    fn file(media_type: Option<&str>, name: &str, bytes: &[u8]) -> Result<String, String> {
        let data = BASE64.encode(bytes);
        let data = media_type.map_or(data.clone(), |media_type| {
            format!("data:{media_type};base64,{data}")
        });
        let file = File {
            data: Member::Is(data.into()),
            name: Member::Is(name.into()),
        };
        read(&file, 1024)
    }

    #[test]
    fn a_text_file_becomes_text_under_its_name() {
        for (media_type, name) in [
            (Some("text/plain"), "notes"),
            (Some("TEXT/Markdown; charset=utf-8"), "notes"),
            (Some("application/json"), "a"),
            (Some("application/ld+json"), "a"),
            (Some("application/octet-stream"), "src/main.RS"),
            (Some(""), "table.csv"),
            (None, "Makefile"),
            (None, "a.b.yaml"),
            (Some("video/mp2t"), "index.ts"),
        ] {
            let read = file(media_type, name, "é\n".as_bytes());
            assert_eq!(read, Ok(format!("[file: {name}]\né\n")), "{name}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let read = file(None, "a.txt", "\u{feff}x".as_bytes());
        assert_eq!(read.as_deref(), Ok("[file: a.txt]\nx"));
    }

    #[test]
    fn a_file_that_is_not_text_is_refused_by_its_name() {
        for (media_type, name, bytes, why) in [
            (Some("application/pdf"), "a.pdf", &b"%PDF-1.7"[..], "a PDF"),
            (Some("text/plain"), "a.txt", b"%PDF-1.7", "a PDF"),
            (Some("application/pdf"), "a.txt", b"x", "neither its name"),
            (Some("image/png"), "a.png", b"\x89PNG", "neither its name"),
            (None, "a.bin", b"x", "neither its name"),
            (None, "", b"x", "neither its name"),
            (None, "a.txt", b"\xff", "not UTF-8"),
            (None, "a.txt", b"a\0b", "binary"),
            (None, "a.txt", &[b'x'; 1025], "larger than 1024 bytes"),
            (None, "a.txt", b"", "no data"),
        ] {
            let refused = file(media_type, name, bytes).unwrap_err();
            assert!(refused.contains(why), "{name}: {refused}");
            let shown = if name.is_empty() { "unnamed" } else { name };
            assert!(refused.contains(shown), "{refused}");
        }
    }

    #[test]
    fn a_file_without_data_is_refused() {
        let refused = read(&File::default(), 1024).unwrap_err();
        assert!(refused.contains("`file_data`"), "{refused}");
        let bad = File {
            data: Member::Is("data:text/plain,hello".into()),
            name: Member::Is("a.txt".into()),
        };
        assert!(read(&bad, 1024).unwrap_err().contains("not base64"));
    }

    #[test]
    fn a_name_has_no_line_breaks_and_at_most_255_characters() {
        let read = file(None, "a\r\n\u{2028}]\u{7}b.txt", b"x").unwrap();
        assert_eq!(read, "[file: a]b.txt]\nx");
        let long = format!("{}.txt", "é".repeat(300));
        let read = file(Some("text/plain"), &long, b"x").unwrap();
        assert_eq!(read, format!("[file: {}]\nx", "é".repeat(255)));
    }

    #[test]
    fn the_lists_are_sorted_and_in_lower_case() {
        for list in [TEXT_TYPES, TEXT_EXTENSIONS, TEXT_NAMES] {
            let words: Vec<_> = list.split(' ').collect();
            assert!(words.is_sorted());
            assert_eq!(list, list.to_ascii_lowercase());
            assert!(!words.contains(&""), "{list}");
        }
    }
}
