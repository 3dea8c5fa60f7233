//! That a contract does not grant any more what a call under way needs.

use super::Admitted;
use archwire_core::contract::Contract;
use std::sync::Arc;
use tonic::Status;

impl Admitted {
    /// Waits until the contract is not in force any more, or does not grant what a call needs: then tells why.
    pub(crate) async fn lost(&mut self, needs: impl Fn(&Arc<Contract>) -> Result<(), Status>) -> Status {
        loop {
            self.changed().await;
            let kept = self.contract().and_then(|contract| needs(&contract));
            if let Err(lost) = kept {
                return lost;
            }
        }
    }
}
