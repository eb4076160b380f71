//! Converts a page of the documentation into a script of its commands.
//!
//! Each block of `sh` runs in a separate shell, as a reader may use several terminals, and
//! must succeed. The words after the language are instructions:
//!
//! ```text
//! sh background     a server for the following blocks, up to the next server
//! sh needs=PROGRAM  skipped up to the next heading if the program is not installed
//! json5 FILE        any other language with a file name: saved as that file
//! text              expected output of the previous command; `…` matches any text
//! ```
//!
//! A comment on the page declares a word that the test replaces:
//! `<!-- e2e: 127.0.0.1:3000 = address -->`, or with a file instead of the name.

/// The beginning of every script.
const PRELUDE: &str = include_str!("../../../tests/e2e/docs/page.sh");

/// The maximum length of a block's title, in characters.
const TITLE_LENGTH: usize = 70;

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
struct Block<'p> {
    kind: Kind<'p>,
    text: String,
    line: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind<'p> {
    Command {
        needs: Option<&'p str>,
    },
    Server {
        needs: Option<&'p str>,
    },
    File(&'p str),
    Output,
    /// A heading, which ends skipped blocks.
    Heading,
}

/// Returns whether a page declares a word with this name.
pub(crate) fn declares(page: &str, name: &str) -> bool {
    declarations(page).any(|(_, declared)| declared == name)
}

/// Returns the script of a page, with declared words replaced by these values.
pub(crate) fn script(page: &str, values: &[(&str, String)]) -> String {
    let mut text = page.to_owned();
    for (word, name) in declarations(page) {
        let known = values.iter().find(|(known, _)| *known == name);
        match known.map(|(_, value)| value.as_str()) {
            Some(value) => text = text.replace(word, value),
            // A file name is its own value.
            None if name.contains('/') => text = text.replace(word, name),
            None => return format!("echo 'not ok - unknown name {name} in a declaration'"),
        }
    }
    let mut script = PRELUDE.to_owned();
    for block in blocks(&text) {
        script.push_str(&block.shell());
        script.push('\n');
    }
    script
}

fn declarations(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let comments = page.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("<!-- e2e: ")?;
        line.strip_suffix(" -->")
    });
    comments.filter_map(|comment| comment.rsplit_once(" = "))
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(info) = line.trim_start().strip_prefix("```") else {
            if line.starts_with('#') {
                blocks.push(Block {
                    kind: Kind::Heading,
                    text: String::new(),
                    line: n + 1,
                });
            }
            continue;
        };
        let inside = lines.by_ref().map(|(_, line)| line);
        let inside = inside.take_while(|line| line.trim() != "```");
        let text: Vec<_> = inside
            .map(|line| line.get(indent..).unwrap_or_default())
            .collect();
        if let Some(kind) = Kind::read(info) {
            let text = text.join("\n");
            let line = n + 1;
            blocks.push(Block { kind, text, line });
        }
    }
    blocks
}

impl<'p> Kind<'p> {
    fn read(info: &'p str) -> Option<Self> {
        let mut words = info.split_whitespace();
        let language = words.next()?;
        let rest: Vec<_> = words.collect();
        let needs = rest.iter().find_map(|word| word.strip_prefix("needs="));
        match language {
            "sh" if rest.contains(&"background") => Some(Self::Server { needs }),
            "sh" => Some(Self::Command { needs }),
            "text" => Some(Self::Output),
            _ => rest.first().map(|file| Self::File(file)),
        }
    }
}

impl Block<'_> {
    fn shell(&self) -> String {
        let text = quoted(&self.text);
        let first = self.text.lines().next().unwrap_or_default();
        let first: String = first.chars().take(TITLE_LENGTH).collect();
        let title = quoted(&format!("line {}: {first}", self.line));
        match self.kind {
            Kind::Command { needs } => format!("{}runs {title} {text}", need(needs)),
            Kind::Server { needs } => format!("{}serves {title} {text}", need(needs)),
            Kind::File(file) => format!("saves {} {text}", quoted(file)),
            Kind::Heading => "heading".to_owned(),
            Kind::Output => {
                let lines = self.text.lines().filter(|line| !line.trim().is_empty());
                let patterns = lines.map(|line| format!(" {}", quoted(&pattern(line))));
                format!("shows {title}{}", patterns.collect::<String>())
            }
        }
    }
}

fn need(program: Option<&str>) -> String {
    program.map_or_else(String::new, |program| {
        format!("needs {}; ", quoted(program))
    })
}

/// Quotes a text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Converts a line to a pattern of a shell. `…` matches any text.
fn pattern(line: &str) -> String {
    let mut pattern = String::from("*");
    for character in line.trim().chars() {
        match character {
            '…' => pattern.push('*'),
            plain if plain.is_ascii_alphanumeric() || plain == ' ' => pattern.push(plain),
            special => pattern.extend(['\\', special]),
        }
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A page
<!-- e2e: here = there -->

```sh
echo it's here
```

```text
it's …re
```

```json5 my.json5
{ here: 1 }
```

  ```sh background needs=spin
  spin up
  ```
";

    #[test]
    fn blocks_become_calls_in_order() {
        let script = script(PAGE, &[("there", "THERE".to_owned())]);
        let calls: Vec<_> = script.strip_prefix(PRELUDE).unwrap().lines().collect();
        let expected = [
            "heading",
            r"runs 'line 4: echo it'\''s THERE' 'echo it'\''s THERE'",
            r"shows 'line 8: it'\''s …re' '*it\'\''s *re*'",
            "saves 'my.json5' '{ THERE: 1 }'",
            "needs 'spin'; serves 'line 16: spin up' 'spin up'",
        ];
        assert_eq!(calls, expected);
    }

    #[test]
    fn an_unknown_name_fails() {
        let script = script(PAGE, &[]);
        assert!(script.contains("not ok"), "{script}");
    }
}
