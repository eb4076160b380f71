//! Several versions of Wasmtime, with the entry point of the container.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::e2e::servers::free_address;
use crate::e2e::site::Site;
use crate::host::Host as Wasmtime;

use super::{Absent, COMPONENT, Found, Start, file_name, read, with_limited_key};

/// The releases from PyPI.
const WHEELS: [&str; 2] = ["48.0.2", "49.0.4"];

/// The variable with more programs, separated as in a PATH.
const MORE: &str = "TIDEGATE_MATRIX";

/// Returns every version with the name of its row.
pub(super) fn hosts(site: &Site<'_>, llm: &str) -> Result<Vec<(String, Found)>> {
    let mut hosts = Vec::new();
    let mut add = |name: String, found: Result<Wasmtime>| -> Result<()> {
        let host = match found {
            Ok(wasmtime) => Ok(start(site, llm, &wasmtime, &name)?),
            Err(error) => Err(Absent {
                why: format!("{error:#}"),
                in_registry: true,
            }),
        };
        hosts.push((name, host));
        Ok(())
    };
    add("Wasmtime, embedded".to_owned(), site.embedded_host())?;
    if let Some(host) = site.host_of_the_machine() {
        add(host.to_string(), Ok(host))?;
    }
    for version in WHEELS {
        let wheel = site.wheel_of_wasmtime(version).and_then(Wasmtime::of);
        add(format!("Wasmtime, wheel {version}"), wheel)?;
    }
    for program in more() {
        let host = Wasmtime::of(program)?;
        add(host.to_string(), Ok(host))?;
    }
    Ok(hosts)
}

fn more() -> Vec<PathBuf> {
    let more = std::env::var_os(MORE).unwrap_or_default();
    let programs = std::env::split_paths(&more);
    programs
        .filter(|program| !program.as_os_str().is_empty())
        .collect()
}

fn start(site: &Site<'_>, llm: &str, wasmtime: &Wasmtime, name: &str) -> Result<Start> {
    let folder = site.file(&format!("{}-container", file_name(name)));
    let counts = folder.join("counts");
    fs::create_dir_all(&counts)?;
    let document = read(site, "deploy/container/tidegate.json5")?;
    let document = document.replace("http://openclaw:18789", llm);
    fs::write(folder.join("tidegate.json5"), with_limited_key(&document))?;
    let address = free_address()?;
    let recipe = read(site, "deploy/container/Dockerfile")?;
    let component = site.dist(COMPONENT);
    let words = entry_point(&recipe).context("the Dockerfile has no entry point")?;
    let mut words = words.into_iter().map(|word| match word.as_str() {
        "wasmtime" => wasmtime.program().display().to_string(),
        _ => word
            .replace("0.0.0.0:8080", &address.to_string())
            .replace("/etc/tidegate", &folder.display().to_string())
            .replace("/var/lib/tidegate", &counts.display().to_string())
            .replace("/srv/tidegate.wasm", &component.display().to_string()),
    });
    let mut command = site.program(words.next().context("the entry point is empty")?)?;
    command.args(words);
    Ok(Start {
        command,
        address,
        ready: "Serving HTTP on http://",
        sets_nodelay: true,
    })
}

/// Returns the words of a Dockerfile's entry point, a list of JSON strings.
fn entry_point(recipe: &str) -> Option<Vec<String>> {
    let mut lines = recipe.lines();
    let list = lines.find_map(|line| line.strip_prefix("ENTRYPOINT [\""))?;
    let words = list.strip_suffix("\"]")?.split("\", \"");
    Some(words.map(|word| word.replace("\\\"", "\"")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_point_is_a_list_of_words() {
        let words = entry_point("FROM a\nENTRYPOINT [\"sh\", \"-c\", \"exec \\\"$@\\\"\"]\n");
        let expected = ["sh", "-c", "exec \"$@\""].map(str::to_owned);
        assert_eq!(words, Some(expected.to_vec()));
        assert_eq!(entry_point("CMD a"), None);
    }
}
