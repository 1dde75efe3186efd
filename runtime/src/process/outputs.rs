//! Where a handler's rows go: to the operator's main output through `cx`, and to the outputs that it declares, `output odd: T`.
//!
//! Each has a buffer that is emptied behind every call of a handler: what follows the operator is not known yet when its
//! handlers are checked. All leave as one type, [`Emitted`], which the chain behind takes apart.

/// A row on its way out.
pub enum Emitted<O, S> {
    /// Of the main output.
    Main(O),
    /// Of another one.
    Side(S),
}

/// One of several outputs.
pub enum Either<A, B> {
    /// Of the first.
    This(A),
    /// Of one behind it.
    Rest(B),
}

/// Nothing has this type.
pub enum Never {}

/// The outputs that a process declares: a list of pairs.
pub trait Outputs: 'static {
    /// A row of one of them.
    type Row;
    /// What handlers write with.
    type Handles<'a>;
    /// Lends them; what is written has this event time, in ms.
    fn open(&mut self, time: i64) -> Self::Handles<'_>;
    /// Gives out what was written.
    fn drain(&mut self, each: impl FnMut(Self::Row, i64));
}

impl Outputs for () {
    type Row = Never;
    type Handles<'a> = ();
    #[inline(always)]
    fn open(&mut self, _: i64) {}
    #[inline(always)]
    fn drain(&mut self, _: impl FnMut(Never, i64)) {}
}

/// Rows of an output, until they go out.
pub struct Buffer<R>(Vec<(R, i64)>);

impl<R> Buffer<R> {
    /// Empty.
    pub fn new() -> Self {
        Buffer(Vec::new())
    }
    #[inline(always)]
    pub(super) fn rows(&mut self) -> &mut Vec<(R, i64)> {
        &mut self.0
    }
    /// Gives out what is in it.
    #[inline(always)]
    pub(super) fn drain(&mut self, mut each: impl FnMut(R, i64)) {
        if !self.0.is_empty() {
            self.0.drain(..).for_each(|(row, time)| each(row, time));
        }
    }
}

impl<R> Default for Buffer<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: 'static, B: Outputs> Outputs for (Buffer<R>, B) {
    type Row = Either<R, B::Row>;
    type Handles<'a> = (Output<'a, R>, B::Handles<'a>);
    #[inline(always)]
    fn open(&mut self, time: i64) -> Self::Handles<'_> {
        (Output { rows: &mut self.0.0, time }, self.1.open(time))
    }
    #[inline(always)]
    fn drain(&mut self, mut each: impl FnMut(Self::Row, i64)) {
        self.0.drain(|row, time| each(Either::This(row), time));
        self.1.drain(|row, time| each(Either::Rest(row), time));
    }
}

/// An output that a process declares: `output odd: Payment;`.
pub struct Output<'a, R> {
    rows: &'a mut Vec<(R, i64)>,
    time: i64,
}

impl<R> Output<'_, R> {
    /// Gives out a row, with the event time of what the handler was called for.
    #[inline(always)]
    pub fn emit(&mut self, row: R) {
        self.rows.push((row, self.time));
    }
}
