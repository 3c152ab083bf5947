// SPDX-License-Identifier: MIT
// From the items of a builder to bundles. Internal to codegen/.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/schedule.h"

namespace zynpu::compiler {

class Assembler {
 public:
  explicit Assembler(const Builder& builder) : builder_(builder) {}
  Result<Fragment> run();

 private:
  // The straight-line code collected so far, ended by `control` if not null.
  Status flush(const Node* control, bool drain);
  Status branch_item(const Builder::Item& item);
  Status loop_item(const Builder::Loop& loop, const std::vector<Node>& body);
  Status pipelined_loop(const Builder::Loop& loop, const Pipelined& schedule);
  Status plain_loop(const Builder::Loop& loop, const std::vector<Node>& body);
  void set_counter(const Builder::Loop& loop, std::int64_t change);
  void append(const std::vector<isa::Bundle>& bundles);
  Status fix_branches();

  const Builder& builder_;
  Fragment out_;
  std::vector<Node> block_;
  Pending pending_;
  std::vector<int> label_at_;                          // bundle index of each label, -1 = not bound
  std::vector<std::pair<std::size_t, int>> branches_;  // bundle, label
};

}  // namespace zynpu::compiler
