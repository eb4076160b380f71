//! The pool of backends, and the route of a request through it.

use std::time::Duration;

use crate::availability::{Availability, Moment};
use crate::backend::Backend;
use crate::rendezvous::{Digest, Score};

/// The deadline for finding a backend, as a multiple of the connect timeout.
const CONNECT_TIMEOUTS: u32 = 3;

/// All backends with their availability.
#[derive(Debug)]
pub struct Pool(Vec<Member>);

/// A backend of the pool.
#[derive(Debug)]
pub struct Member {
    /// The backend.
    pub backend: Backend,
    /// Its availability.
    pub availability: Availability,
}

/// Which backends a request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affinity {
    /// Only the backend of its session.
    Home,
    /// Any backend: first that one, then the others in the order of their scores.
    Any,
}

impl Pool {
    /// Makes a pool in which every backend is open.
    #[must_use]
    pub fn new(backends: Vec<Backend>) -> Self {
        let member = |backend| Member {
            backend,
            availability: Availability::default(),
        };
        Self(backends.into_iter().map(member).collect())
    }

    /// Returns the backends.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Returns whether there is more than one backend.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        self.0.len() > 1
    }

    /// Returns the route of a request of a session. It ends at three times
    /// `connect_timeout`.
    #[must_use]
    pub fn route(
        &self,
        session: Digest,
        affinity: Affinity,
        now: Moment,
        connect_timeout: Duration,
    ) -> Route<'_> {
        Route {
            pool: self,
            session,
            affinity,
            deadline: now.saturating_add(connect_timeout.saturating_mul(CONNECT_TIMEOUTS)),
            last: None,
        }
    }
}

/// The backends that a request tries, one after another, as long as they refuse.
#[derive(Debug)]
pub struct Route<'p> {
    pool: &'p Pool,
    session: Digest,
    affinity: Affinity,
    deadline: Moment,
    /// The score of the last backend.
    last: Option<Score>,
}

impl<'p> Route<'p> {
    /// Returns the next backend. It ignores skipped backends, unless all are skipped: then it
    /// returns the first one only.
    pub fn next(&mut self, now: Moment) -> Option<&'p Member> {
        let (score, member) = match (self.last, self.affinity) {
            (None, Affinity::Home) => self.highest(None),
            (None, Affinity::Any) => self.highest(Some(now)).or_else(|| self.highest(None)),
            (Some(_), Affinity::Any) if now < self.deadline => self.highest(Some(now)),
            (Some(_), Affinity::Home | Affinity::Any) => None,
        }?;
        self.last = Some(score);
        Some(member)
    }

    /// Returns whether another backend may follow the last one.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        self.affinity == Affinity::Any && self.pool.has_choice()
    }

    /// Returns the backend with the highest score below the last one, among all backends or
    /// among those that are open at a time.
    fn highest(&self, open_at: Option<Moment>) -> Option<(Score, &'p Member)> {
        let mut highest: Option<(Score, &Member)> = None;
        for member in &self.pool.0 {
            let score = member.backend.score(self.session);
            if highest.is_none_or(|(other, _)| score > other)
                && self.last.is_none_or(|last| score < last)
                && open_at.is_none_or(|now| member.availability.is_open(now))
            {
                highest = Some((score, member));
            }
        }
        highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    const LIMIT: Duration = Duration::from_secs(5);

    fn pool(count: usize) -> Pool {
        let backend = |n| {
            let endpoint = Endpoint::parse(&format!("http://10.0.0.{n}:18789")).unwrap();
            Backend::new(endpoint, 1, None)
        };
        Pool::new((0..count).map(backend).collect())
    }

    fn authority(member: &Member) -> String {
        member.backend.endpoint.authority().to_owned()
    }

    fn refuse(member: &Member, now: Moment) {
        let attempt = member.availability.attempt(now, LIMIT);
        member.availability.refused(attempt, now);
    }

    /// Follows a route on which every backend refuses.
    fn follow(pool: &Pool, session: &str, affinity: Affinity, now: Moment) -> Vec<String> {
        let mut route = pool.route(Digest::of(session), affinity, now, LIMIT);
        let mut followed = Vec::new();
        while let Some(member) = route.next(now) {
            refuse(member, now);
            followed.push(authority(member));
        }
        followed
    }

    #[test]
    fn a_request_tries_every_backend_once() {
        let now = Moment::ZERO;
        for session in ["a", "b", "c"] {
            let mut followed = follow(&pool(5), session, Affinity::Any, now);
            assert_eq!(followed.len(), 5, "{session}");
            let home = follow(&pool(5), session, Affinity::Home, now);
            assert_eq!(home, followed[..1], "{session}");
            followed.sort_unstable();
            followed.dedup();
            assert_eq!(followed.len(), 5, "{session}");
        }
    }

    #[test]
    fn a_backend_that_refused_is_skipped_until_it_is_probed() {
        let pool = pool(3);
        let now = Moment::ZERO;
        let first = |affinity, now| {
            let mut route = pool.route(Digest::of("a"), affinity, now, LIMIT);
            route.next(now).unwrap()
        };
        let home = first(Affinity::Any, now);
        refuse(home, now);
        let other = first(Affinity::Any, now);
        assert_ne!(authority(other), authority(home));
        assert_eq!(authority(first(Affinity::Home, now)), authority(home));
        let later = now + Duration::from_secs(1);
        assert_eq!(authority(first(Affinity::Any, later)), authority(home));
    }

    #[test]
    fn if_all_backends_are_skipped_only_the_first_is_tried() {
        let pool = pool(3);
        let now = Moment::ZERO;
        let all = follow(&pool, "a", Affinity::Any, now);
        assert_eq!(all.len(), 3);
        assert_eq!(follow(&pool, "a", Affinity::Any, now), all[..1]);
    }

    #[test]
    fn a_route_ends_after_three_connect_timeouts() {
        let pool = pool(9);
        let mut now = Moment::ZERO;
        let mut route = pool.route(Digest::of("a"), Affinity::Any, now, LIMIT);
        let mut count = 0;
        while let Some(member) = route.next(now) {
            now += LIMIT;
            refuse(member, now);
            count += 1;
        }
        assert_eq!(count, 3);
    }

    #[test]
    fn a_request_is_kept_only_where_it_may_go_on() {
        let (one, two) = (pool(1), pool(2));
        let cases = [
            (&one, Affinity::Any, false),
            (&two, Affinity::Home, false),
            (&two, Affinity::Any, true),
        ];
        for (pool, affinity, expected) in cases {
            let route = pool.route(Digest::of("a"), affinity, Moment::ZERO, LIMIT);
            assert_eq!(route.may_go_on(), expected);
        }
    }
}
