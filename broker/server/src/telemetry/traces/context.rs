//! In which trace a span stands, from process to process: W3C Trace Context, `traceparent`.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Where a span stands, to be sent along; `None` while traces are not collected.
pub(crate) fn traceparent(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            context.trace_id(),
            context.span_id(),
            context.trace_flags().to_u8()
        )
    })
}

/// Has a span go on in the trace that came along, if one did. To be called before the span has children.
pub(crate) fn continue_from(span: &Span, traceparent: Option<&str>) {
    if !span.is_disabled()
        && let Some(parent) = traceparent.and_then(read)
    {
        // Fails only for a span that has begun already, which then stands in a trace of its own.
        _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Says that a span deals with what came from another trace too.
pub(crate) fn link(span: &Span, traceparent: Option<&str>) {
    if !span.is_disabled()
        && let Some(other) = traceparent.and_then(read)
    {
        span.add_link(other);
    }
}

/// Says of a span, which has the fields `code` and `otel.status_code`, that what it tells of failed.
pub(crate) fn failed(span: &Span, code: &str) {
    span.record("code", code);
    span.record("otel.status_code", "ERROR");
}

/// Reads a `traceparent`; `None` when it is none. Of later versions what is known is read, as the standard wants it.
fn read(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let mut part = |digits: usize| {
        let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let part = parts.next()?;
        (part.len() == digits && part.bytes().all(is_hexadecimal)).then_some(part)
    };
    let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_of_the_standard_is_read() {
        let context = read(GOOD).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        let later = GOOD.replacen("00", "cc", 1) + "-what-the-future-brings";
        assert!(read(&later).is_some(), "what a later version adds is passed over");
        assert!(!read(&GOOD.replace("-01", "-00")).unwrap().is_sampled());
    }

    #[test]
    fn what_is_no_traceparent_is_passed_over() {
        let bad = [
            String::new(),
            "00".to_owned(),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            format!("{GOOD}-01"),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
            GOOD.replace('4', "ä"),
        ];
        for bad in bad {
            assert!(read(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_span_that_nobody_collects_is_nowhere() {
        let span = Span::none();
        continue_from(&span, Some(GOOD));
        link(&span, Some(GOOD));
        assert_eq!(traceparent(&span), None);
    }
}
