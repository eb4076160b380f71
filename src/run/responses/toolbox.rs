//! The tools of a request, as the runtime interface has them: functions.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tidegate_json::{Member, RawValue};

use crate::openai::request::{Raw, Text};
use crate::openai::responses::Tool as SentTool;
use crate::rejection::{Quote, Rejection};
use crate::run::tool_names::{ClientTool, ToolKind, ToolNames};
use crate::run::{call, schema};
use crate::runtime::Tool;

/// The arguments of a custom tool, with the name that [`crate::run::CUSTOM_INPUT`] has.
const CUSTOM_PARAMETERS: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The text for the tool."}},"required":["input"],"additionalProperties":false}"#;

/// The maximum length of a function's name at the providers of models, in bytes.
const NAME_LIMIT: usize = 64;

/// The maximum number of types of tools that the access log lists.
const HOSTED_LIMIT: usize = 16;

/// A client's tools.
#[derive(Debug, Default)]
pub(super) struct Toolbox {
    /// The tools in their order.
    pub(super) offers: Vec<Offer>,
    /// The types of tools that the agent runtime does not get.
    pub(super) hosted: Vec<String>,
    /// The position of each tool, by its namespace and name.
    positions: BTreeMap<ClientName, usize>,
}

/// The namespace and the name of a tool.
type ClientName = (Option<String>, String);

/// A tool, and its name for the runtime.
#[derive(Debug)]
pub(super) struct Offer {
    /// The tool as the client named it.
    pub(super) client: ClientTool,
    /// The function that the runtime gets.
    pub(super) tool: Tool,
}

impl Toolbox {
    /// Reads the tools of `tools`, and those of the items at these places of the input.
    ///
    /// # Errors
    /// A tool that lacks its type or its name.
    pub(super) fn read(tools: Raw<'_>, more: Vec<(usize, Raw<'_>)>) -> Result<Self, Rejection> {
        let mut toolbox = Self::default();
        toolbox.add_list(tools, None, "tools")?;
        for (at, tools) in more {
            toolbox.add_list(tools, None, &format!("input[{at}].tools"))?;
        }
        toolbox.assign_names();
        Ok(toolbox)
    }

    /// Returns the tools by the names that the runtime knows.
    pub(super) fn names(&self) -> ToolNames {
        let mut names = ToolNames::default();
        for offer in &self.offers {
            names.add(offer.tool.name.clone(), offer.client.clone());
        }
        names
    }

    /// Returns the tool with a namespace and a name.
    pub(super) fn find(&self, namespace: Option<&str>, name: &str) -> Option<&Offer> {
        let client = (namespace.map(str::to_owned), name.to_owned());
        self.offers.get(*self.positions.get(&client)?)
    }

    /// Returns the name by which the runtime knows a tool.
    pub(super) fn offered_name(&self, namespace: Option<&str>, name: &str) -> String {
        let offer = self.find(namespace, name);
        match (offer, namespace) {
            (Some(offer), _) => offer.tool.name.clone(),
            (None, Some(namespace)) => joined_name(namespace, name, false),
            (None, None) => name.to_owned(),
        }
    }

    fn add_list(
        &mut self,
        tools: Raw<'_>,
        namespace: Option<&Namespace<'_>>,
        path: &str,
    ) -> Result<(), Rejection> {
        let Some(tools) = tools else {
            return Ok(());
        };
        let list: Vec<&RawValue> = serde_json::from_str(tools.get()).map_err(|_| {
            Rejection::invalid(path.to_owned(), format!("`{path}` must be an array."))
        })?;
        for (at, tool) in list.into_iter().enumerate() {
            self.add(tool, namespace, &format!("{path}[{at}]"))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        tool: &RawValue,
        namespace: Option<&Namespace<'_>>,
        path: &str,
    ) -> Result<(), Rejection> {
        // The text is JSON already, so only its nesting can be too deep.
        let tool: Member<SentTool<'_>> =
            tidegate_json::parse(tool.get()).map_err(|_| reject(path, "nests too deep."))?;
        let tool = tool
            .ok()
            .ok_or_else(|| reject(path, "must be an object."))?;
        let Some(kind) = tool.kind.as_ok().cloned() else {
            return Err(reject(path, "has no `type`."));
        };
        match (kind.as_ref(), namespace) {
            ("function", _) => self.offer(ToolKind::Function, tool, namespace, path),
            ("custom", _) => self.offer(ToolKind::Custom, tool, namespace, path),
            ("namespace", None) => self.add_namespace(tool, path),
            (kind, _) => {
                let kind = Quote(kind).to_string();
                if self.hosted.len() < HOSTED_LIMIT && !self.hosted.contains(&kind) {
                    self.hosted.push(kind);
                }
                Ok(())
            }
        }
    }

    fn add_namespace(&mut self, tool: SentTool<'_>, path: &str) -> Result<(), Rejection> {
        let name = call::name(tool.name.ok());
        let namespace = Namespace {
            name: name.ok_or_else(|| reject(path, "has no `name`."))?,
            description: tool.description.ok(),
        };
        self.add_list(tool.tools, Some(&namespace), &format!("{path}.tools"))
    }

    /// Adds a tool. A later tool of the same name replaces it, as an application sends its
    /// tools again with the items of a conversation.
    fn offer(
        &mut self,
        kind: ToolKind,
        tool: SentTool<'_>,
        namespace: Option<&Namespace<'_>>,
        path: &str,
    ) -> Result<(), Rejection> {
        let name = call::name(tool.name.as_ok().cloned());
        let client = ClientTool {
            name: name.ok_or_else(|| reject(path, "has no `name`."))?,
            namespace: namespace.map(|namespace| namespace.name.clone()),
            kind,
        };
        let offer = Offer {
            tool: function(&client, tool, namespace, path)?,
            client,
        };
        let name = (offer.client.namespace.clone(), offer.client.name.clone());
        let position = *self.positions.entry(name).or_insert(self.offers.len());
        match self.offers.get_mut(position) {
            Some(known) => *known = offer,
            None => self.offers.push(offer),
        }
        Ok(())
    }

    /// Gives the tools of namespaces names that no other tool has.
    fn assign_names(&mut self) {
        let mut uses = BTreeMap::<String, usize>::new();
        for offer in &self.offers {
            *uses.entry(plain_name(&offer.client)).or_default() += 1;
        }
        for offer in &mut self.offers {
            let plain = plain_name(&offer.client);
            offer.tool.name = match &offer.client.namespace {
                None => plain,
                Some(namespace) => {
                    let is_taken = uses.get(&plain).is_some_and(|uses| *uses > 1);
                    joined_name(namespace, &offer.client.name, is_taken)
                }
            };
        }
    }
}

/// The namespace that tools are in.
struct Namespace<'de> {
    name: String,
    description: Option<Text<'de>>,
}

fn plain_name(tool: &ClientTool) -> String {
    match &tool.namespace {
        None => tool.name.clone(),
        Some(namespace) => format!("{namespace}__{}", tool.name),
    }
}

/// Joins a namespace and a name. A name that is too long, or taken, ends with a hash.
fn joined_name(namespace: &str, name: &str, is_taken: bool) -> String {
    let joined = format!("{namespace}__{name}");
    if joined.len() <= NAME_LIMIT && !is_taken {
        return joined;
    }
    let digest = Sha256::digest([namespace.as_bytes(), &[0], name.as_bytes()].concat());
    let hash = URL_SAFE_NO_PAD.encode(digest.first_chunk::<9>().unwrap_or(&[0; 9]));
    let end = joined.floor_char_boundary(NAME_LIMIT - hash.len() - 1);
    let (begin, _) = joined.split_at_checked(end).unwrap_or((&joined, ""));
    format!("{begin}_{hash}")
}

/// Returns the function that the runtime gets for a tool. Its name is assigned later.
fn function(
    client: &ClientTool,
    tool: SentTool<'_>,
    namespace: Option<&Namespace<'_>>,
    path: &str,
) -> Result<Tool, Rejection> {
    let parameters = match client.kind {
        ToolKind::Function => schema::parameters(tool.parameters)
            .map_err(|_| reject(path, "has `parameters` that nest deeper than 128 levels."))?,
        ToolKind::Custom => Some(CUSTOM_PARAMETERS.to_owned()),
    };
    let own = tool.description.as_ok().map(AsRef::as_ref);
    let shared = namespace.and_then(|namespace| namespace.description.as_deref());
    let grammar = tool.format.as_ok().and_then(|format| {
        let syntax = format.syntax.as_ok().map_or("", AsRef::as_ref);
        let definition = format.definition.as_ok()?;
        Some(format!(
            "The text must match this {syntax} grammar:\n{definition}"
        ))
    });
    let parts = [shared, own, grammar.as_deref()];
    let description: Vec<_> = parts.into_iter().flatten().collect();
    Ok(Tool {
        name: String::new(),
        description: (!description.is_empty()).then(|| description.join("\n\n")),
        parameters,
        strict: tool.strict.ok(),
    })
}

fn reject(path: &str, problem: &str) -> Rejection {
    Rejection::invalid(path.to_owned(), format!("`{path}` {problem}"))
}
