//! The memory budget of an instance for the bodies of requests.
//!
//! A module's memory is shared by all requests of an instance, and a failed allocation
//! ends all of them. So the bodies together have a budget: the bytes that have arrived,
//! times what a byte of a body takes at most until the runtime has the request.

use std::cell::RefCell;
use std::rc::Rc;

use crate::rejection::{BodyFault, Rejection};

/// How much memory a byte of a body takes at most: the body, the texts of its messages, and
/// the request to the runtime, once more for a failover. `tests/memory.rs` measures it.
const FACTOR: usize = 4;

/// The minimum of the budget for bodies of any size, in bytes of memory.
const MINIMUM: usize = 80 * 1024 * 1024;

/// The part of the budget that only small bodies may use, in bytes. A caller that already
/// uses memory may not use it.
const SMALL_PART: usize = 8 * 1024 * 1024;

/// The maximum size of a small body, in bytes.
const SMALL_BODY: usize = 64 * 1024;

/// The budget of an instance.
#[derive(Debug, Clone)]
pub struct Budget(Rc<RefCell<Account>>);

#[derive(Debug)]
struct Account {
    /// The maximum for bodies of any size, in bytes of memory.
    limit: usize,
    /// The maximum for one caller.
    caller_limit: usize,
    used: usize,
    /// What each caller uses. A caller who uses nothing has no entry. An instance reads few
    /// bodies at once, so a lookup scans the list.
    callers: Vec<(String, usize)>,
}

impl Account {
    fn of(&self, caller: &str) -> usize {
        let mut callers = self.callers.iter();
        let found = callers.find(|(name, _)| name == caller);
        found.map_or(0, |(_, used)| *used)
    }

    /// Sets what a caller uses.
    fn set(&mut self, caller: &str, used: usize) {
        self.callers.retain(|(name, _)| name != caller);
        if used > 0 {
            self.callers.push((caller.to_owned(), used));
        }
    }
}

impl Budget {
    /// Makes a budget for bodies of at most `body_limit` bytes.
    #[must_use]
    pub fn new(body_limit: usize) -> Self {
        let largest = FACTOR.saturating_mul(body_limit);
        let limit = largest.max(MINIMUM);
        Self(Rc::new(RefCell::new(Account {
            limit,
            caller_limit: largest.max((limit + SMALL_PART) / 4),
            used: 0,
            callers: Vec::new(),
        })))
    }

    /// Begins a body of a caller, which has no bytes yet.
    #[must_use]
    pub fn begin(&self, caller: &str) -> Holding {
        Holding {
            budget: self.clone(),
            caller: caller.to_owned(),
            size: 0,
        }
    }
}

/// The part of the budget that one body uses. Dropping it returns the part.
#[derive(Debug)]
pub struct Holding {
    budget: Budget,
    caller: String,
    /// The size of the body so far, in bytes.
    size: usize,
}

impl Holding {
    /// Grows to the size of the body so far, in bytes.
    ///
    /// # Errors
    /// The budget is used up.
    pub fn grow_to(&mut self, size: usize) -> Result<(), Rejection> {
        if size <= self.size {
            return Ok(());
        }
        let more = (size - self.size) * FACTOR;
        let mut account = self.budget.0.borrow_mut();
        let own = self.size * FACTOR;
        let of_caller = account.of(&self.caller);
        let is_small = size <= SMALL_BODY && of_caller == own;
        let limit = account.limit + if is_small { SMALL_PART } else { 0 };
        if account.used + more > limit || of_caller + more > account.caller_limit {
            return Err(Rejection::Body(BodyFault::Overloaded));
        }
        account.used += more;
        account.set(&self.caller, of_caller + more);
        self.size = size;
        Ok(())
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let own = self.size * FACTOR;
        let mut account = self.budget.0.borrow_mut();
        account.used = account.used.saturating_sub(own);
        let left = account.of(&self.caller).saturating_sub(own);
        account.set(&self.caller, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: usize = 20 * 1024 * 1024;

    fn filled(budget: &Budget, caller: &str, size: usize) -> Result<Holding, Rejection> {
        let mut holding = budget.begin(caller);
        holding.grow_to(size)?;
        Ok(holding)
    }

    #[test]
    fn one_largest_body_fits() {
        let budget = Budget::new(BODY);
        let body = filled(&budget, "a", BODY).unwrap();
        assert_eq!(
            filled(&budget, "b", SMALL_BODY + 1).err(),
            Some(Rejection::Body(BodyFault::Overloaded))
        );
        drop(body);
        assert!(filled(&budget, "b", BODY).is_ok());
    }

    #[test]
    fn a_small_body_of_another_caller_fits_beside_the_largest() {
        let budget = Budget::new(BODY);
        let _largest = filled(&budget, "a", BODY).unwrap();
        assert!(filled(&budget, "a", 1).is_err());
        let small: Vec<_> = (0..SMALL_PART / SMALL_BODY / FACTOR)
            .map(|n| filled(&budget, &n.to_string(), SMALL_BODY).unwrap())
            .collect();
        assert!(filled(&budget, "b", 1).is_err());
        drop(small);
        let mut one = filled(&budget, "b", SMALL_BODY).unwrap();
        assert!(one.grow_to(SMALL_BODY + 1).is_err());
        assert!(filled(&budget, "b", 1).is_err(), "this caller has one");
    }

    #[test]
    fn a_body_uses_only_what_has_arrived() {
        let budget = Budget::new(BODY);
        let slow: Vec<_> = (0..100)
            .map(|n| filled(&budget, &n.to_string(), 4096).unwrap())
            .collect();
        assert!(filled(&budget, "a", BODY / 2).is_ok());
        drop(slow);
        assert_eq!(budget.0.borrow().used, 0);
        assert!(budget.0.borrow().callers.is_empty());
    }

    #[test]
    fn a_body_that_has_its_part_keeps_it_whatever_others_use() {
        let budget = Budget::new(BODY);
        let mut largest = filled(&budget, "a", BODY).unwrap();
        let _small = filled(&budget, "b", SMALL_BODY).unwrap();
        assert!(budget.0.borrow().used > budget.0.borrow().limit);
        assert_eq!(largest.grow_to(BODY), Ok(()));
        assert!(largest.grow_to(BODY + 1).is_err());
    }

    #[test]
    fn a_body_does_not_shrink() {
        let budget = Budget::new(BODY);
        let mut body = filled(&budget, "a", 1000).unwrap();
        body.grow_to(10).unwrap();
        assert_eq!(budget.0.borrow().used, 1000 * FACTOR);
    }
}
