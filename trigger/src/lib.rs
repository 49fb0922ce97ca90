//! What Cognito calls once a user is confirmed: the post-confirmation trigger. It ties the user to a row of the
//! application's users table, and the row to the user.
//!
//! The row of the user's sub is found, adopted or inserted in one transaction; then its id is written into the user's
//! attribute, where it is not already there. The same event can be delivered again, at the same moment or much later:
//! there is one row and one id. What the attribute said in the event proves nothing, as a sign-up can bring it along.
//!
//! The event goes back as it came, or there is an error whose text says nothing of anybody: it reaches the screen.
//!
//! The same function works off a retry queue (an SQS event), looks for safe cases when a schedule says so, and can stand
//! behind the Post Authentication trigger.
//!
//! A pool has one function for each trigger. A pool that has one already calls [`Function::handle`] from there:
//!
//! ```no_run
//! use std::time::Instant;
//!
//! use lambda_runtime::LambdaEvent;
//! use post_confirmation::{Function, Refusal, Settings};
//! use serde_json::Value;
//!
//! # async fn example(event: LambdaEvent<Value>) -> Result<Value, Box<dyn std::error::Error>> {
//! // Once, when the process starts.
//! let linking = Function::new(Settings::read(std::env::vars())?, Instant::now());
//! linking.warm_up().await;
//!
//! // For each event: it comes back as it was, or the text of the error can be shown to anybody.
//! let event: Result<Value, Refusal> = linking.handle(event).await;
//! # Ok(event?)
//! # }
//! ```

// Futures within futures: the compiler counts how deep.
#![recursion_limit = "256"]

mod attribute;
mod aws;
mod breaker;
mod budget;
mod confirmation;
mod database;
mod event;
mod function;
mod look;
mod password;
mod queue;
mod report;
mod retry;
mod settings;
mod sign_in;

pub use function::Function;
pub use report::Refusal;
pub use settings::{
    DatabaseSettings, OnContradiction, OnEmailTaken, OnFailure, Password, Settings, SettingsError, SignIn,
};
