//! The grammar of the few SELECT statements that the ShortQuery stub understands.
//!
//! A statement is cut into words, quoted texts and operators and read from left to right. Anything that would write
//! is refused with 401, anything else that does not fit with 400.

use std::cmp::Ordering;

use crate::refusal::Refusal;

const WRITERS: [&str; 12] = [
    "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "CREATE", "TRUNCATE", "REPLACE", "GRANT", "CALL", "SET",
    "LOAD",
];

/// A statement that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Select {
    /// Empty means all.
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    /// All of them hold, and of each one at least one alternative.
    pub(crate) conditions: Vec<Vec<Condition>>,
    /// Column and whether it goes down.
    pub(crate) order: Option<(String, bool)>,
}

/// `column op value`, `column LIKE value`, or `column IN (values)` with `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: String,
    operator: String,
    pub(crate) values: Vec<String>,
}

impl Condition {
    /// Whether the values are patterns.
    pub(crate) fn is_like(&self) -> bool {
        self.operator.eq_ignore_ascii_case("LIKE")
    }

    pub(crate) fn accepts(&self, order: Ordering) -> bool {
        match self.operator.as_str() {
            "=" => order.is_eq(),
            "<>" | "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name, a keyword or a number.
    Word(String),
    /// A text in quotes.
    Quoted(String),
    /// An operator, a comma, a bracket, a star.
    Sign(String),
}

impl Select {
    /// Whether a column is asked for, or a condition is about it.
    pub(crate) fn names(&self, column: &str) -> bool {
        let mut conditions = self
            .conditions
            .iter()
            .flatten()
            .map(|condition| &condition.column);
        self.columns.is_empty()
            || self.columns.iter().any(|name| name.eq_ignore_ascii_case(column))
            || conditions.any(|name| name.eq_ignore_ascii_case(column))
    }

    pub(crate) fn parse(sql: &str) -> Result<Self, Refusal> {
        let tokens = tokens(sql)?;
        let writes = |token: &Token| matches!(token, Token::Word(word) if WRITERS.contains(&word.to_uppercase().as_str()));
        if tokens.iter().any(writes) {
            return Err(Refusal::new(401, "Query is not read-only"));
        }
        let mut reader = Reader {
            tokens: tokens.into_iter().peekable(),
        };
        reader.keyword("SELECT")?;
        let columns = if reader.sign("*") {
            Vec::new()
        } else {
            reader.list(Reader::name)?
        };
        reader.keyword("FROM")?;
        let table = reader.name()?;
        let mut conditions = Vec::new();
        if reader.is_keyword("WHERE") {
            conditions.push(reader.alternatives()?);
            while reader.is_keyword("AND") {
                conditions.push(reader.alternatives()?);
            }
        }
        let mut order = None;
        if reader.is_keyword("ORDER") {
            reader.keyword("BY")?;
            let column = reader.name()?;
            let descending = reader.is_keyword("DESC");
            let _ = descending || reader.is_keyword("ASC");
            order = Some((column, descending));
        }
        let _ = reader.sign(";");
        if reader.tokens.peek().is_some() {
            return Err(syntax());
        }
        Ok(Self {
            columns,
            table,
            conditions,
            order,
        })
    }
}

struct Reader {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Reader {
    fn is_keyword(&mut self, wanted: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        self.tokens.next_if(is).is_some()
    }

    fn keyword(&mut self, wanted: &str) -> Result<(), Refusal> {
        if self.is_keyword(wanted) {
            Ok(())
        } else {
            Err(syntax())
        }
    }

    fn sign(&mut self, wanted: &str) -> bool {
        self.tokens.next_if_eq(&Token::Sign(wanted.to_owned())).is_some()
    }

    /// A name, without the table that may stand before it.
    fn name(&mut self) -> Result<String, Refusal> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word.rsplit('.').next().unwrap_or_default().to_owned()),
            _ => Err(syntax()),
        }
    }

    fn value(&mut self) -> Result<String, Refusal> {
        match self.tokens.next() {
            Some(Token::Word(text) | Token::Quoted(text)) => Ok(text),
            _ => Err(syntax()),
        }
    }

    fn list(&mut self, item: fn(&mut Self) -> Result<String, Refusal>) -> Result<Vec<String>, Refusal> {
        let mut items = vec![item(self)?];
        while self.sign(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A condition, or several in brackets with OR between them.
    fn alternatives(&mut self) -> Result<Vec<Condition>, Refusal> {
        if !self.sign("(") {
            return Ok(vec![self.condition()?]);
        }
        let mut alternatives = vec![self.condition()?];
        while self.is_keyword("OR") {
            alternatives.push(self.condition()?);
        }
        if self.sign(")") {
            Ok(alternatives)
        } else {
            Err(syntax())
        }
    }

    fn condition(&mut self) -> Result<Condition, Refusal> {
        let column = self.name()?;
        if self.is_keyword("IN") {
            let open = self.sign("(");
            let values = self.list(Self::value)?;
            if !open || !self.sign(")") {
                return Err(syntax());
            }
            return Ok(Condition {
                column,
                operator: "=".to_owned(),
                values,
            });
        }
        if self.is_keyword("LIKE") {
            return Ok(Condition {
                column,
                operator: "LIKE".to_owned(),
                values: vec![self.value()?],
            });
        }
        match self.tokens.next() {
            Some(Token::Sign(operator))
                if matches!(operator.as_str(), "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") =>
            {
                Ok(Condition {
                    column,
                    operator,
                    values: vec![self.value()?],
                })
            }
            _ => Err(syntax()),
        }
    }
}

fn tokens(sql: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut letters = sql.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            c if c.is_whitespace() => {}
            '\'' | '"' => {
                let text: String = letters.by_ref().take_while(|c| *c != letter).collect();
                tokens.push(Token::Quoted(text));
            }
            c if word(c) => {
                let mut text = String::from(c);
                while let Some(c) = letters.next_if(|c| word(*c)) {
                    text.push(c);
                }
                tokens.push(Token::Word(text.replace('`', "")));
            }
            '<' | '>' | '!' => {
                let mut text = String::from(letter);
                text.extend(letters.next_if(|c| matches!(c, '=' | '>')));
                tokens.push(Token::Sign(text));
            }
            '=' | ',' | '(' | ')' | '*' | ';' => tokens.push(Token::Sign(letter.to_string())),
            _ => return Err(syntax()),
        }
    }
    Ok(tokens)
}

fn word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '`' | '-')
}

fn syntax() -> Refusal {
    Refusal::bad("You have an error in your SQL syntax")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_for_merges_is_understood() {
        let sql = "SELECT PatNumFrom, pl.PatNumTo FROM patientlink WHERE LinkType=1 AND DateTimeLink >= '2026-11-01 00:00:00' ORDER BY DateTimeLink DESC;";
        let select = Select::parse(sql).unwrap();
        assert_eq!(select.columns, ["PatNumFrom", "PatNumTo"]);
        assert_eq!(
            (select.table.as_str(), select.conditions.len()),
            ("patientlink", 2)
        );
        assert_eq!(select.order, Some(("DateTimeLink".to_owned(), true)));
    }

    #[test]
    fn alternatives_stand_in_brackets() {
        let sql = "SELECT PatNumFrom FROM patientlink WHERE LinkType = 1 AND (PatNumFrom IN (1,2) OR PatNumTo = 3) ORDER BY PatientLinkNum";
        let select = Select::parse(sql).unwrap();
        let alternatives: Vec<_> = select.conditions.iter().map(Vec::len).collect();
        assert_eq!(alternatives, [1, 2]);
        for sql in [
            "SELECT PatNum FROM patient WHERE PatNum = 1 OR PatNum = 2",
            "SELECT PatNum FROM patient WHERE (PatNum = 1 OR PatNum = 2",
        ] {
            assert_eq!(Select::parse(sql).unwrap_err().status, 400, "{sql}");
        }
    }

    #[test]
    fn writing_is_unauthorized_and_nonsense_is_bad() {
        assert_eq!(Select::parse("DELETE FROM patient").unwrap_err().status, 401);
        assert_eq!(
            Select::parse("SELECT * FROM patient; DROP TABLE patient")
                .unwrap_err()
                .status,
            401
        );
        assert_eq!(Select::parse("SELECT FROM WHERE").unwrap_err().status, 400);
        assert_eq!(Select::parse("").unwrap_err().status, 400);
    }
}
