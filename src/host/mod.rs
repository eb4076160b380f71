//! The host: every effect of the component, and every use of WASI.
//!
//! ```text
//! handler   the exported handler: a request in, a response out
//! effects   configuration, store, body, runtime  -> what the gateway needs
//! incoming  wasi:http request                    -> head and body
//! runtime   ValidRun, ValidEmbeddings            -> the steps of a run, vectors
//! delivery  the steps of a run                   -> a response, whole or streamed
//! line      a run and its client                 -> what a streamed reply waits for
//! clock     all streams of the instance          -> heartbeats, probes, time limits
//! respond   documents and errors                 -> a response with its headers
//! outgoing  status, headers, bytes               -> wasi:http response
//! store     wasi:keyvalue                        -> counters
//! recorder  the steps of a run                   -> its log
//! keeper    runs that have a log                 -> the lease, requests to cancel
//! follower  the log of a run                     -> its steps again
//! stored    requests for stored responses        -> a response
//! places    runs in progress                     -> their places, renewed
//! ```

mod clock;
mod delivery;
mod effects;
mod follower;
mod handler;
mod incoming;
mod keeper;
mod line;
mod outgoing;
mod places;
mod random;
mod recorder;
mod respond;
mod runtime;
mod store;
mod stored;
