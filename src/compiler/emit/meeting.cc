// SPDX-License-Identifier: MIT
#include "compiler/emit/meeting.h"

#include "part/part.h"

namespace zynpu::compiler {
namespace {

// Words, one 64-byte line each, from the start of GSRAM. `i` is the TEC, 1..3.
constexpr unsigned kLine = 64;
constexpr unsigned kGo = 0;                                // TEC 0: meeting that all have reached
constexpr unsigned here(unsigned i) { return i * kLine; }  // TEC i: meeting that it has reached
constexpr unsigned kFirstNumber = 4 * kLine;               // TEC 0: its number of this job
constexpr unsigned echo_of_first(unsigned i) { return (4 + i) * kLine; }  // TEC i: the number of TEC 0
constexpr unsigned number(unsigned i) { return (8 + i) * kLine; }         // TEC i: its number of this job
constexpr unsigned echo_of(unsigned i) { return (12 + i) * kLine; }       // TEC 0: the number of TEC i

// Words whose place is known when the code is made.
class Words {
 public:
  explicit Words(Builder& b) : b_(b), address_(b.gpr()) {}
  void load(R d, unsigned word) {
    at(word);
    b_.ld(d, address_, 0);
  }
  void store(R value, unsigned word) {
    at(word);
    b_.st(value, address_, 0);
  }

 private:
  void at(unsigned word) { b_.constant(address_, part::kGsramBase + word); }
  Builder& b_;
  Gpr address_;
};

}  // namespace

Result<Fragment> meeting_start(unsigned tecs) {
  Builder b("meeting start");
  const Label others = b.label(), done = b.label();
  b.branch_if_nonzero(kTaskIndex, others);
  {
    Words words(b);
    Gpr mine = b.gpr(), x = b.gpr(), differs = b.gpr();
    words.store(kZeroReg, kGo);
    words.load(mine, kFirstNumber);
    for (unsigned i = 1; i < tecs; ++i) {
      words.load(x, echo_of_first(i));
      b.max(mine, mine, x);
    }
    b.add(mine, mine, 1);
    words.store(mine, kFirstNumber);
    const Label again = b.label();
    b.bind(again);
    b.move(differs, kZeroReg);
    for (unsigned i = 1; i < tecs; ++i) {
      words.load(x, number(i));
      words.store(x, echo_of(i));
      words.load(x, echo_of_first(i));
      b.xor_(x, x, mine);
      b.or_(differs, differs, x);
    }
    b.branch_if_nonzero(differs, again);
    // Everyone has written its number by now: echo them once more.
    for (unsigned i = 1; i < tecs; ++i) {
      words.load(x, number(i));
      words.store(x, echo_of(i));
    }
    b.branch(done);
  }
  b.bind(others);
  {
    Gpr low = b.gpr(), high = b.gpr(), mine = b.gpr(), x = b.gpr();
    b.scale(low, kTaskIndex, kLine);
    b.constant(x, part::kGsramBase);
    b.add(low, low, x);           // words here() and, 256 on, echo_of_first()
    b.add(high, low, 8 * kLine);  // number() and, 256 on, echo_of()
    Gpr first = b.gpr(), echo_first = b.gpr(), echo = b.gpr();
    b.constant(first, part::kGsramBase + kFirstNumber);
    b.add(echo_first, low, 4 * kLine);
    b.add(echo, high, 4 * kLine);
    b.st(kZeroReg, low, 0);
    b.ld(mine, high, 0);
    b.ld(x, echo, 0);
    b.max(mine, mine, x);
    b.add(mine, mine, 1);
    b.st(mine, high, 0);
    const Label again = b.label();
    b.bind(again);
    b.ld(x, first, 0);
    b.st(x, echo_first, 0);
    b.ld(x, echo, 0);
    b.xor_(x, x, mine);
    b.branch_if_nonzero(x, again);
    // TEC 0 runs, so its number is fresh now: echo it once more.
    b.ld(x, first, 0);
    b.st(x, echo_first, 0);
  }
  b.bind(done);
  return std::move(b).finish();
}

Result<Fragment> meeting(unsigned tecs, R meeting_number) {
  Builder b("meeting");
  const Label others = b.label(), done = b.label();
  b.branch_if_nonzero(kTaskIndex, others);
  {
    Words words(b);
    Gpr x = b.gpr();
    for (unsigned i = 1; i < tecs; ++i) {
      const Label again = b.label();
      b.bind(again);
      words.load(x, here(i));
      b.sub(x, x, meeting_number);
      b.branch_if_nonzero(x, again);
    }
    words.store(meeting_number, kGo);
    b.branch(done);
  }
  b.bind(others);
  {
    Gpr own = b.gpr(), go = b.gpr(), x = b.gpr();
    b.constant(go, part::kGsramBase + kGo);
    b.scale(own, kTaskIndex, kLine);
    b.add(own, own, go);
    b.st(meeting_number, own, 0);
    const Label again = b.label();
    b.bind(again);
    b.ld(x, go, 0);
    b.sub(x, x, meeting_number);
    b.branch_if_nonzero(x, again);
  }
  b.bind(done);
  return std::move(b).finish();
}

}  // namespace zynpu::compiler
