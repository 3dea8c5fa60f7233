//! Reading an office page by page, as the broker's scheduler does.

use archwire_core::{Cursor, View};
use archwire_host::Connector;

/// More pages than any pass of these scenarios has.
const MOST_PAGES: usize = 500;

/// Reads on from where it stopped.
pub(crate) struct Reader<'a> {
    connector: &'a Connector,
    pub(crate) cursor: Option<Cursor>,
    /// Pages read so far.
    pub(crate) pages: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(connector: &'a Connector) -> Self {
        Self {
            connector,
            cursor: None,
            pages: 0,
        }
    }

    /// One page, and whether there is more.
    pub(crate) async fn page(&mut self) -> (Vec<View>, bool) {
        let answer = self.connector.poll(self.cursor.as_ref()).await.unwrap();
        assert_eq!(
            answer.unreadable,
            [],
            "every row of the office is one that can be read"
        );
        self.cursor = Some(answer.page.cursor);
        self.pages += 1;
        (answer.page.views, answer.page.more)
    }

    /// Everything that is to be had now.
    pub(crate) async fn pass(&mut self) -> Vec<View> {
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let (views, more) = self.page().await;
            all.extend(views);
            if !more {
                return all;
            }
        }
        panic!("the pass does not end")
    }

    /// Whom everything that is to be had now is about, by the office's numbers.
    pub(crate) async fn numbers(&mut self) -> Vec<i64> {
        self.pass().await.iter().map(number).collect()
    }
}

/// The office's number of a patient.
pub(crate) fn number(view: &View) -> i64 {
    view.local_id.as_str().parse().unwrap()
}
