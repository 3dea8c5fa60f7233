//! What is broken in which way. Each case has a short form, for the tests, and a long one, for the soak; both end with the
//! same checker.

pub mod full;
pub mod images;
pub mod kills;
pub mod nats;
pub mod outage;
pub mod power;
pub mod stubborn;
pub mod vendor;
