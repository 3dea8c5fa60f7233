//! A client that speaks as the vendor demands, and shorthand for starting an office.

use archwire_opendental_simulator::{Handle, Options, PatientFields, Simulator};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

/// An office and a client with its key.
pub(crate) struct Office {
    pub(crate) handle: Handle,
    pub(crate) client: Client,
}

/// A status and a JSON body.
pub(crate) type Got = (u16, Value);

impl Office {
    /// Opens an office that is not throttled.
    pub(crate) async fn open() -> Self {
        Self::with(Options::service()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let handle = Simulator::start(options).await.unwrap();
        Self {
            handle,
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// A request with both headers.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, self.handle.base_url() + path)
            .header("Authorization", self.handle.authorization())
            .header("Content-Type", "application/json")
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        got(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        got(self
            .request(Method::POST, path)
            .body(body.to_string())
            .send()
            .await
            .unwrap())
        .await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Got {
        got(self
            .request(Method::PUT, path)
            .body(body.to_string())
            .send()
            .await
            .unwrap())
        .await
    }

    /// Registers so many patients at the front desk, named A1, A2, and so on.
    pub(crate) fn register(&self, count: usize) {
        for number in 1..=count {
            self.handle
                .front_desk()
                .create(&PatientFields::named(&format!("A{number}"), "Test"));
        }
    }
}

pub(crate) async fn got(response: Response) -> Got {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

/// The PatNums of a list, in its order.
pub(crate) fn numbers(rows: &Value) -> Vec<i64> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["PatNum"].as_i64().unwrap())
        .collect()
}
