//! The servers together: to which of them a request goes, and to which next.

use std::time::Duration;

use crate::availability::{Availability, Moment};
use crate::rendezvous::{Digest, Lot};
use crate::server::Server;

/// How many times the time to connect a request may look for a server.
const PATIENCE: u32 = 3;

/// The servers, with what is known of each.
#[derive(Debug)]
pub struct Pool(Vec<Member>);

/// A server of the pool.
#[derive(Debug)]
pub struct Member {
    /// The server.
    pub server: Server,
    /// Whether it takes connections.
    pub availability: Availability,
}

/// Where a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the server that its session belongs to, and to no other.
    Home,
    /// To any: first to that one, then to the others in the session's order.
    Any,
}

impl Pool {
    /// Makes a pool in which nothing is known of any server.
    #[must_use]
    pub fn new(servers: Vec<Server>) -> Self {
        let member = |server| Member {
            server,
            availability: Availability::default(),
        };
        Self(servers.into_iter().map(member).collect())
    }

    /// Returns the servers.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Tells whether there is more than one server.
    #[must_use]
    pub fn has_choice(&self) -> bool {
        self.0.len() > 1
    }

    /// Returns the way of a request of a session. It ends at a server that
    /// connects, or some time after `connect_timeout`.
    #[must_use]
    pub fn route(
        &self,
        session: Digest,
        reach: Reach,
        now: Moment,
        connect_timeout: Duration,
    ) -> Route<'_> {
        Route {
            pool: self,
            session,
            reach,
            deadline: now.saturating_add(connect_timeout.saturating_mul(PATIENCE)),
            last: None,
        }
    }
}

/// The servers that a request goes to, one after another for as long as they
/// refuse.
#[derive(Debug)]
pub struct Route<'p> {
    pool: &'p Pool,
    session: Digest,
    reach: Reach,
    deadline: Moment,
    /// What the last server drew.
    last: Option<Lot>,
}

impl<'p> Route<'p> {
    /// Returns the next server. A server that is passed over is left out,
    /// unless they all are: then the first one is tried alone.
    pub fn next(&mut self, now: Moment) -> Option<&'p Member> {
        let (lot, member) = match (self.last, self.reach) {
            (None, Reach::Home) => self.greatest(None),
            (None, Reach::Any) => self.greatest(Some(now)).or_else(|| self.greatest(None)),
            (Some(_), Reach::Any) if now < self.deadline => self.greatest(Some(now)),
            (Some(_), Reach::Home | Reach::Any) => None,
        }?;
        self.last = Some(lot);
        Some(member)
    }

    /// Tells whether another server may come after the last one.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        self.reach == Reach::Any && self.pool.has_choice()
    }

    /// Returns the server with the greatest lot that is less than the last one,
    /// of those that are open at a time, or of all.
    fn greatest(&self, open_at: Option<Moment>) -> Option<(Lot, &'p Member)> {
        let mut greatest: Option<(Lot, &Member)> = None;
        for member in &self.pool.0 {
            let lot = member.server.draw(self.session);
            if greatest.is_none_or(|(other, _)| lot > other)
                && self.last.is_none_or(|last| lot < last)
                && open_at.is_none_or(|now| member.availability.is_open(now))
            {
                greatest = Some((lot, member));
            }
        }
        greatest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    const LIMIT: Duration = Duration::from_secs(5);

    fn pool(count: usize) -> Pool {
        let server = |n| {
            let endpoint = Endpoint::parse(&format!("http://10.0.0.{n}:18789")).unwrap();
            Server::new(endpoint, 1, None)
        };
        Pool::new((0..count).map(server).collect())
    }

    fn authority(member: &Member) -> String {
        member.server.endpoint.authority().to_owned()
    }

    fn refuse(member: &Member, now: Moment) {
        let attempt = member.availability.attempt(now, LIMIT);
        member.availability.refused(attempt, now);
    }

    /// Follows a route on which every server refuses.
    fn follow(pool: &Pool, session: &str, reach: Reach, now: Moment) -> Vec<String> {
        let mut route = pool.route(Digest::of(session), reach, now, LIMIT);
        let mut followed = Vec::new();
        while let Some(member) = route.next(now) {
            refuse(member, now);
            followed.push(authority(member));
        }
        followed
    }

    #[test]
    fn a_request_of_any_reach_comes_to_every_server_once() {
        let now = Moment::ZERO;
        for session in ["a", "b", "c"] {
            let mut followed = follow(&pool(5), session, Reach::Any, now);
            assert_eq!(followed.len(), 5, "{session}");
            let home = follow(&pool(5), session, Reach::Home, now);
            assert_eq!(home, followed[..1], "{session}");
            followed.sort_unstable();
            followed.dedup();
            assert_eq!(followed.len(), 5, "{session}");
        }
    }

    #[test]
    fn a_server_that_refused_is_passed_over_until_it_is_tried_again() {
        let pool = pool(3);
        let now = Moment::ZERO;
        let first = |reach, now| {
            let mut route = pool.route(Digest::of("a"), reach, now, LIMIT);
            route.next(now).unwrap()
        };
        let home = first(Reach::Any, now);
        refuse(home, now);
        let other = first(Reach::Any, now);
        assert_ne!(authority(other), authority(home));
        assert_eq!(authority(first(Reach::Home, now)), authority(home));
        let later = now + Duration::from_secs(1);
        assert_eq!(authority(first(Reach::Any, later)), authority(home));
    }

    #[test]
    fn where_all_servers_are_passed_over_only_the_first_is_tried() {
        let pool = pool(3);
        let now = Moment::ZERO;
        let all = follow(&pool, "a", Reach::Any, now);
        assert_eq!(all.len(), 3);
        assert_eq!(follow(&pool, "a", Reach::Any, now), all[..1]);
    }

    #[test]
    fn nobody_looks_for_a_server_for_longer_than_three_times_the_time_to_connect() {
        let pool = pool(9);
        let mut now = Moment::ZERO;
        let mut route = pool.route(Digest::of("a"), Reach::Any, now, LIMIT);
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
            (&one, Reach::Any, false),
            (&two, Reach::Home, false),
            (&two, Reach::Any, true),
        ];
        for (pool, reach, expected) in cases {
            let route = pool.route(Digest::of("a"), reach, Moment::ZERO, LIMIT);
            assert_eq!(route.may_go_on(), expected);
        }
    }
}
