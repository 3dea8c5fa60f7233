//! The trait that a connector implements, and how it becomes the component's exports.

use crate::bindings::exports::archwire::connector::plugin::Guest;
use crate::description::Description;
use crate::exchange::{
    CheckReport, Delivered, Delivery, Disposition, IncomingRequest, Observation, Page, Received, SurveyPage,
};
use crate::image::{ImageDelivered, ImageDelivery, ImageObservation};
use std::marker::PhantomData;

/// What a connector does. Every call runs in a fresh instance, so there is no `self` to keep things in: what has to
/// outlive the call goes into the cursor or into [`crate::state`].
///
/// Only [`Connector::describe`] has to be written. Everything else answers `rejected` with the code `not-supported` (of
/// images, `not-offered`), and is never called as long as the description does not name it among its abilities.
///
/// A panic is a trap: the host drops the instance and whatever the call wrote to the state. Say what is wrong with a
/// [`Disposition`] instead.
pub trait Connector {
    /// What the connector is and wants. Pure: no imports may be used, the answer is always the same.
    fn describe() -> Description;

    /// Whether the system can be reached and the credentials are good. Changes nothing in the system.
    ///
    /// # Errors
    /// Why not: what the administrator sees.
    fn check() -> Result<CheckReport, Disposition> {
        Err(Disposition::not_supported())
    }

    /// What changed since `cursor`; `None` the first time means everything.
    ///
    /// # Errors
    /// When the system did not answer as expected. The cursor stays where it was.
    fn poll(cursor: Option<String>) -> Result<Page, Disposition> {
        _ = cursor;
        Err(Disposition::not_supported())
    }

    /// A webhook arrived.
    ///
    /// # Errors
    /// When the request is not one that the connector understands.
    fn receive(request: IncomingRequest) -> Result<Received, Disposition> {
        _ = request;
        Err(Disposition::not_supported())
    }

    /// Make the system's record match the delivered state. May come more than once for the same state.
    ///
    /// # Errors
    /// When the record does not hold the state afterwards. As long as it is not known whether a record was made (the
    /// request timed out, say), that must be [`Disposition::Retry`]: the next attempt is then told so by
    /// [`Delivery::in_doubt_since_ms`]. After every other disposition the bus takes it that no record was made.
    fn deliver(delivery: Delivery) -> Result<Delivered, Disposition> {
        _ = delivery;
        Err(Disposition::not_supported())
    }

    /// Read one record back; `None` when the system has no record with that id.
    ///
    /// # Errors
    /// When the system did not answer as expected.
    fn fetch(local_id: String) -> Result<Option<Observation>, Disposition> {
        _ = local_id;
        Err(Disposition::not_supported())
    }

    /// Make the system hold an image, or, when it is retracted, show it no more. May come more than once for the same image.
    /// The bytes: [`crate::images::open`], or [`crate::http::Request::body_from`] which sends them without holding them.
    ///
    /// # Errors
    /// When the system does not hold the image afterwards. As long as it is not known whether it does, that must be
    /// [`Disposition::Retry`], as for [`Connector::deliver`].
    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        _ = delivery;
        Err(Disposition::not_offered())
    }

    /// Show one image as the system has it, with the SHA-256 of its bytes ([`crate::images::measure`]) where the system
    /// gives them; `None` when it has no image with that id. `record` is the patient's, where one is known.
    ///
    /// # Errors
    /// When the system did not answer as expected.
    fn fetch_image(
        local_id: String,
        record: Option<String>,
    ) -> Result<Option<ImageObservation>, Disposition> {
        _ = (local_id, record);
        Err(Disposition::not_offered())
    }

    /// List what the system holds, for reconciliation. `None` begins.
    ///
    /// # Errors
    /// When the system did not answer as expected. The cursor stays where it was.
    fn survey(cursor: Option<String>) -> Result<SurveyPage, Disposition> {
        _ = cursor;
        Err(Disposition::not_supported())
    }
}

/// A [`Connector`] in the shape in which [`crate::register!`] exports it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Plugin<C>(PhantomData<C>);

impl<C: Connector> Guest for Plugin<C> {
    fn describe() -> Description {
        C::describe()
    }

    fn check() -> Result<CheckReport, Disposition> {
        C::check()
    }

    fn poll(cursor: Option<String>) -> Result<Page, Disposition> {
        C::poll(cursor)
    }

    fn receive(request: IncomingRequest) -> Result<Received, Disposition> {
        C::receive(request)
    }

    fn deliver(delivery: Delivery) -> Result<Delivered, Disposition> {
        C::deliver(delivery)
    }

    fn fetch(local_id: String) -> Result<Option<Observation>, Disposition> {
        C::fetch(local_id)
    }

    fn deliver_image(delivery: ImageDelivery) -> Result<ImageDelivered, Disposition> {
        C::deliver_image(delivery)
    }

    fn fetch_image(
        local_id: String,
        record: Option<String>,
    ) -> Result<Option<ImageObservation>, Disposition> {
        C::fetch_image(local_id, record)
    }

    fn survey(cursor: Option<String>) -> Result<SurveyPage, Disposition> {
        C::survey(cursor)
    }
}

/// Makes a type that implements [`Connector`] the component's exports. Once per component.
///
/// ```
/// use archwire_connector::{Connector, Description};
///
/// struct Nothing;
///
/// impl Connector for Nothing {
///     fn describe() -> Description {
///         Description::new("nothing", env!("CARGO_PKG_VERSION"), "Does nothing at all.")
///     }
/// }
///
/// archwire_connector::register!(Nothing);
/// ```
#[macro_export]
macro_rules! register {
    ($connector:ty) => {
        // Checks the type on every machine.
        const _: fn() -> $crate::Description = <$connector as $crate::Connector>::describe;
        // The exports' names are the component model's, which no other linker takes.
        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        type ArchwirePlugin = $crate::Plugin<$connector>;
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export!(ArchwirePlugin with_types_in $crate::bindings);
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mute;

    impl Connector for Mute {
        fn describe() -> Description {
            Description::new("mute", "0.1.0", "Says nothing.")
        }
    }

    #[test]
    fn what_a_connector_does_not_do_is_rejected_as_not_supported() {
        let refusals = [
            Mute::check().err(),
            Mute::poll(None).err(),
            Mute::fetch("1".into()).err(),
            Mute::survey(None).err(),
            Mute::receive(IncomingRequest {
                method: "POST".into(),
                path: "/".into(),
                headers: Vec::new(),
                body: Vec::new(),
            })
            .err(),
        ];
        for refusal in refusals {
            assert_eq!(refusal, Some(Disposition::rejected("not-supported")));
        }
        let refusal = Mute::fetch_image("1".into(), None).err();
        assert_eq!(refusal, Some(Disposition::rejected("not-offered")));
    }
}
