//! The runtimes of `tidegate.runtimes`, of which a run names one.

use std::rc::Rc;

use super::agent_id::AgentId;

/// The name of a configured runtime. Only [`Upstreams`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream(Rc<str>);

impl Upstream {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The configured runtimes, and the agents of each. All other runs go to the default one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstreams(Vec<(Upstream, Vec<AgentId>)>);

impl Upstreams {
    /// Adds a runtime with its agents.
    pub fn add(&mut self, name: &str, agents: Vec<AgentId>) {
        self.0.push((Upstream(name.into()), agents));
    }

    /// Returns the runtime with a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Upstream> {
        let found = self
            .0
            .iter()
            .find(|(upstream, _)| upstream.as_str() == name);
        found.map(|(upstream, _)| upstream.clone())
    }

    /// Returns the runtime of an agent.
    #[must_use]
    pub fn of_agent(&self, agent: &AgentId) -> Option<Upstream> {
        let found = self.0.iter().find(|(_, agents)| agents.contains(agent));
        found.map(|(upstream, _)| upstream.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_has_the_runtime_that_lists_it() {
        let agent = |name: &str| AgentId::parse(name).unwrap();
        let mut upstreams = Upstreams::default();
        upstreams.add("one", vec![agent("a"), agent("b")]);
        upstreams.add("two", vec![agent("c")]);
        let of = |name| {
            let upstream = upstreams.of_agent(&agent(name));
            upstream.map(|upstream| upstream.as_str().to_owned())
        };
        assert_eq!(of("b").as_deref(), Some("one"));
        assert_eq!(of("c").as_deref(), Some("two"));
        assert_eq!(of("d"), None);
        assert_eq!(
            upstreams.find("two").as_ref().map(Upstream::as_str),
            Some("two")
        );
        assert_eq!(upstreams.find("three"), None);
    }
}
