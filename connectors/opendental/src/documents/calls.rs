//! The calls about documents (Open Dental API, Documents, Definitions and Queries).

use crate::api::{Api, Error, TIMEOUT};
use crate::documents::row::{self, DocNum, Document, List};
use crate::row::PatNum;
use archwire_connector::http::{Error as HttpError, Method, Part, Request, Response};
use archwire_connector::images::Way;
use serde_json::{Map, Value, json};
use std::io::Read as _;
use std::time::Duration;

/// How long an upload may stand still: the office has 60 s after the last byte, and then answers 504.
const UPLOAD_QUIET: Duration = Duration::from_secs(75);

/// Most bytes of a list of documents. Rows have some 500 bytes, unless the office shows the notes in which uploads lie.
const MOST_LISTED: u64 = 64 * 1024 * 1024;

/// What is uploaded.
#[derive(Clone)]
pub struct Upload<'a> {
    /// Whose it is.
    pub pat_num: PatNum,
    /// What is said of it.
    pub fields: Map<String, Value>,
    /// How its bytes get there.
    pub bytes: Bytes<'a>,
}

/// How the bytes of an upload get to the office.
#[derive(Clone)]
pub enum Bytes<'a> {
    /// Within the request.
    Sent {
        /// `.jpg`.
        extension: &'static str,
        /// Which.
        sha256: &'a str,
        /// How many.
        size: u64,
    },
    /// The office's program fetches them.
    Fetched(Way),
}

impl Upload<'_> {
    /// The request's body where the bytes are a part of it.
    fn parts(&self, extension: &str, sha256: &str, size: u64) -> Result<[Part; 3], Error> {
        let mut fields = self.fields();
        fields.insert("extension".into(), extension.into());
        let head = Value::Object(fields).to_string();
        let head = head
            .strip_suffix('}')
            .ok_or(Error::Http(HttpError::InvalidRequest))?;
        Ok([
            format!("{head},\"rawBase64\":\"").into(),
            Part::base64_image(sha256, size),
            "\"}".into(),
        ])
    }

    /// The request's body where the bytes are fetched: where from, and with which password.
    fn invitation(&self, way: &Way) -> Map<String, Value> {
        let mut fields = self.fields();
        let address = format!("{}/{}", way.host, way.path);
        for (name, value) in [
            ("SftpAddress", address.as_str()),
            ("SftpUsername", &way.user),
            ("SftpPassword", &way.password),
        ] {
            fields.insert(name.into(), value.into());
        }
        fields
    }

    fn fields(&self) -> Map<String, Value> {
        let mut fields = self.fields.clone();
        fields.insert("PatNum".into(), self.pat_num.get().into());
        fields
    }
}

impl Api<'_> {
    /// POST `/documents/Upload` or `/documents/UploadSftp`: the new document's key.
    ///
    /// # Errors
    /// When no document was made, or when nobody knows: [`Error::may_have_arrived`].
    pub fn upload(&self, upload: &Upload<'_>) -> Result<DocNum, Error> {
        let request = match &upload.bytes {
            Bytes::Sent {
                extension,
                sha256,
                size,
            } => self
                .request(Method::Post, "/documents/Upload")
                .body_from("application/json", upload.parts(extension, sha256, *size)?),
            Bytes::Fetched(way) => self
                .request(Method::Post, "/documents/UploadSftp")
                .json(&upload.invitation(way)),
        };
        let response = self
            .call(&request.timeout(UPLOAD_QUIET))
            .map_err(|error| match &upload.bytes {
                Bytes::Sent { .. } => error,
                Bytes::Fetched(way) => error.without(&way.password),
            })?;
        uploaded(&response).ok_or(Error::Unreadable)
    }

    /// GET `/documents?PatNum=`: one page of a patient's documents, from the row `offset`; `None` when it is too large to be
    /// read.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn documents(&self, pat_num: PatNum, offset: usize, limit: usize) -> Result<Option<List>, Error> {
        let request = self
            .request(Method::Get, "/documents")
            .query("PatNum", &pat_num.to_string())
            .query("Offset", &offset.to_string())
            .query("Limit", &limit.to_string());
        let mut body = self.open(&request)?.body.take(MOST_LISTED);
        match row::list(&mut body) {
            Ok(list) => Ok(Some(list)),
            Err(_) if body.limit() == 0 => Ok(None),
            Err(error) if error.is_io() => Err(Error::Http(HttpError::Closed)),
            Err(_) => Err(Error::Unreadable),
        }
    }

    /// GET `/documents/{DocNum}`: one document; `None` when there is no such document.
    ///
    /// # Errors
    /// When the office did not answer that. Offices before 24.2.32 refuse it.
    pub fn document(&self, doc_num: DocNum) -> Result<Option<Document>, Error> {
        match self.call(&self.request(Method::Get, &format!("/documents/{doc_num}"))) {
            Ok(response) => row::one(&response.body)
                .filter(|row| row.doc_num == doc_num)
                .map(Some)
                .ok_or(Error::Unreadable),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// PUT `/documents/{DocNum}`: changes what is said of a document. Sending it twice is the same as once.
    ///
    /// # Errors
    /// When the document does not say it, or when nobody knows.
    pub fn change_document(&self, doc_num: DocNum, fields: &Map<String, Value>) -> Result<(), Error> {
        let request = self
            .request(Method::Put, &format!("/documents/{doc_num}"))
            .json(fields);
        let response = self.call(&request)?;
        match row::one(&response.body) {
            Some(row) if row.doc_num == doc_num => Ok(()),
            _ => Err(Error::Unreadable),
        }
    }

    /// GET `/definitions?Category=18`: the categories of images.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn image_categories(&self) -> Result<Vec<u8>, Error> {
        let request = self.request(Method::Get, "/definitions").query("Category", "18");
        Ok(self.call(&request)?.body)
    }

    /// PUT `/queries/ShortQuery` about documents: at most 100 rows. No rows have many faces, as for links.
    ///
    /// # Errors
    /// When there is no such list.
    pub fn query_documents(&self, sql: &str) -> Result<List, Error> {
        let response = self.call(&self.short_query(sql))?;
        if matches!(
            response.body.trim_ascii(),
            b"" | b"OK" | b"null" | b"\"\"" | b"\"OK\""
        ) {
            return Ok(List::default());
        }
        row::list(response.body.as_slice()).map_err(|error| {
            if error.is_eof() {
                Error::Unreadable
            } else {
                Error::Strange
            }
        })
    }

    /// A query, to be sent.
    #[must_use]
    pub fn short_query(&self, sql: &str) -> Request {
        self.request(Method::Put, "/queries/ShortQuery")
            .json(&json!({ "SqlCommand": sql }))
            .timeout(TIMEOUT)
    }
}

/// The key in the answer to an upload: in the object, else at the end of `location`.
fn uploaded(response: &Response) -> Option<DocNum> {
    let location = || {
        DocNum::parse(
            response
                .header("location")?
                .trim_end_matches('/')
                .rsplit('/')
                .next()?,
        )
    };
    row::one(&response.body).map(|row| row.doc_num).or_else(location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_upload_make_one_json_object() {
        let mut fields = Map::new();
        fields.insert("Description".into(), "Pano \"1\"".into());
        let upload = Upload {
            pat_num: PatNum::parse("7").unwrap(),
            fields,
            bytes: Bytes::Sent {
                extension: ".jpg",
                sha256: "ab",
                size: 3,
            },
        };
        let mut body = String::new();
        for part in upload.parts(".jpg", "ab", 3).unwrap() {
            match part {
                Part::Bytes(bytes) => body.push_str(str::from_utf8(&bytes).unwrap()),
                Part::Base64Image { sha256, size } => {
                    assert_eq!((sha256.as_str(), size), ("ab", 3));
                    body.push_str("YWJj");
                }
                Part::Image { .. } => panic!("an image goes as base64 text"),
            }
        }
        let sent: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            sent,
            json!({"Description": "Pano \"1\"", "PatNum": 7, "extension": ".jpg", "rawBase64": "YWJj"})
        );
    }
}
