// SPDX-License-Identifier: MIT
// Memory that is shared by file descriptors: what every back end does with its own, and with that of another
// exporter.
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "conformance/program.h"
#include "conformance/suite.h"
#include "support/tec_source.h"

namespace zynpu::conformance {
namespace {

using runtime::Backend;
using runtime::Buffer;
using Words = std::array<std::uint32_t, 4>;

constexpr Words kWords = {1, 0x80000000, 0xFFFFFFFF, 41};

// A descriptor that goes with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

Status put(Buffer& buffer, std::uint64_t offset, const Words& words) {
  ZYNPU_TRY(buffer.sync_for_cpu());
  std::memcpy(buffer.host().data() + offset, words.data(), sizeof words);
  return buffer.sync_for_device();
}

Status expect(Buffer& buffer, std::uint64_t offset, const Words& words, const char* what) {
  ZYNPU_TRY(buffer.sync_for_cpu());
  if (std::memcmp(buffer.host().data() + offset, words.data(), sizeof words) != 0)
    return wrong("{} are not there at byte {}", what, offset);
  return {};
}

Words plus_one(Words words) {
  for (std::uint32_t& word : words) ++word;
  return words;
}

// A program reads four words at `offset` of `in` and writes them, each one more, there in `out`.
Status device_adds_one(Backend& backend, Buffer& in, Buffer& out, std::uint64_t offset) {
  const std::string source = test::first_tec_source(std::string(backend.part().name), test::add_one_body());
  Buffer* const both[] = {&in, &out};
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> program, Program::create(backend, source, both));
  const auto at = static_cast<std::uint32_t>(offset);
  const std::uint32_t parameters[] = {in.device_address() + at, out.device_address() + at};
  ZYNPU_TRY(program->set_parameters(parameters));
  ZYNPU_TRY(put(in, offset, kWords));
  ZYNPU_TRY(program->run());
  return expect(out, offset, plus_one(kWords), "the program's results");
}

Status same_for_all(Backend& backend) {
  ZYNPU_ASSIGN_OR_RETURN(const int fd, backend.create_shared(kPage + 1));
  auto one = backend.import_shared(fd), two = backend.import_shared(fd);
  backend.destroy_shared(fd);
  if (!one || !two) return tl::unexpected<Error>((one ? two : one).error());
  if ((*one)->bytes() < kPage + 1 || (*one)->bytes() != (*two)->bytes())
    return wrong("{} shared bytes became {} and {}", kPage + 1, (*one)->bytes(), (*two)->bytes());
  const std::span<std::uint8_t> host = (*one)->host();
  if (std::any_of(host.begin(), host.end(), [](std::uint8_t byte) { return byte != 0; }))
    return wrong("new shared memory is not zero");
  const std::uint64_t last = (*one)->bytes() - sizeof kWords;
  ZYNPU_TRY(put(**one, last, kWords));
  ZYNPU_TRY(expect(**two, last, kWords, "words written through the other import"));
  // What one lets go of stays with the other, for the CPU and for programs.
  one->reset();
  ZYNPU_TRY(put(**two, 0, kWords));
  return device_adds_one(backend, **two, **two, kPage - sizeof kWords);
}

Status programs_use_it(Backend& backend) {
  ZYNPU_ASSIGN_OR_RETURN(const int fd, backend.create_shared(3 * kPage));
  auto first = backend.import_shared(fd), second = backend.import_shared(fd);
  backend.destroy_shared(fd);
  if (!first || !second) return tl::unexpected<Error>((first ? second : first).error());
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> own, backend.allocate(3 * kPage, kPage));
  for (const std::uint64_t offset : {std::uint64_t{0}, 2 * kPage + 16}) {
    ZYNPU_TRY(device_adds_one(backend, *own, **first, offset));
    ZYNPU_TRY(expect(**second, offset, plus_one(kWords), "results seen through the other import"));
    ZYNPU_TRY(device_adds_one(backend, **second, *own, offset));
  }
  return {};
}

Status a_job_gets_it_later(Backend& backend) {
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> out, backend.allocate(kPage, kPage));
  const std::string source = test::first_tec_source(std::string(backend.part().name), test::add_one_body());
  Buffer* const known[] = {out.get()};
  ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Program> program, Program::create(backend, source, known));
  for (std::uint32_t round = 0; round < 3; ++round) {
    ZYNPU_ASSIGN_OR_RETURN(const int fd, backend.create_shared(kPage));
    const auto in = backend.import_shared(fd);
    backend.destroy_shared(fd);
    if (!in) return tl::unexpected<Error>(in.error());
    const Buffer* const more[] = {in->get()};
    ZYNPU_TRY(program->job().set_more_buffers(more));
    const std::uint32_t parameters[] = {(*in)->device_address(), out->device_address()};
    ZYNPU_TRY(program->set_parameters(parameters));
    Words words = kWords;
    words[0] = round;
    ZYNPU_TRY(put(**in, 0, words));
    ZYNPU_TRY(program->run());
    ZYNPU_TRY(expect(*out, 0, plus_one(words), "the program's results"));
    // The next round's list takes the place of this one, whose memory goes.
    ZYNPU_TRY(program->job().set_more_buffers({}));
  }
  return {};
}

Status threads_share(Backend& backend) {
  ZYNPU_ASSIGN_OR_RETURN(const int fd, backend.create_shared(4 * kPage));
  std::vector<Status> results(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t)
    threads.emplace_back([&, t] {
      const auto work = [&]() -> Status {
        const Words words = {static_cast<std::uint32_t>(t), 7, 8, 9};
        for (int round = 0; round < 50; ++round) {
          ZYNPU_ASSIGN_OR_RETURN(const std::unique_ptr<Buffer> buffer, backend.import_shared(fd));
          ZYNPU_TRY(put(*buffer, kPage * t, words));
          ZYNPU_TRY(expect(*buffer, kPage * t, words, "a thread's own words"));
        }
        return {};
      };
      results[t] = work();
    });
  for (std::thread& thread : threads) thread.join();
  backend.destroy_shared(fd);
  for (const Status& result : results) ZYNPU_TRY(result);
  return {};
}

Status refused(Backend& backend) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
    const auto fd = backend.create_shared(bytes);
    ZYNPU_TRY(expect_error(fd.map([](int) {}), ErrorCode::kInvalidArgument, "sharing an impossible size"));
  }
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {-1, null.get()}) {
    const auto buffer = backend.import_shared(fd);
    ZYNPU_TRY(expect_error(buffer.map([](const auto&) {}), ErrorCode::kInvalidArgument,
                           "an import of what is no shared memory"));
  }
  return {};
}

// A dma-buf of the kernel's udmabuf driver, of the pages `pages` of `memory` in this order; -1: see errno.
int udmabuf(int memory, std::span<const std::uint64_t> pages) {
  const Descriptor device(::open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
  if (device.get() < 0) return -1;
  std::vector<std::uint8_t> raw(sizeof(udmabuf_create_list) + pages.size() * sizeof(udmabuf_create_item));
  udmabuf_create_list list{};
  list.flags = UDMABUF_FLAGS_CLOEXEC;
  list.count = static_cast<std::uint32_t>(pages.size());
  std::memcpy(raw.data(), &list, sizeof list);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    udmabuf_create_item item{};
    item.memfd = static_cast<std::uint32_t>(memory);
    item.offset = pages[i] * kPage;
    item.size = kPage;
    std::memcpy(raw.data() + sizeof list + i * sizeof item, &item, sizeof item);
  }
  return ::ioctl(device.get(), UDMABUF_CREATE_LIST, raw.data());
}

// A dma-buf of the kernel's heap of ordinary pages; -1: see errno.
int heap_dma_buf(std::uint64_t bytes) {
  const Descriptor device(::open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
  if (device.get() < 0) return -1;
  dma_heap_allocation_data allocation{};
  allocation.len = bytes;
  allocation.fd_flags = O_RDWR | O_CLOEXEC;
  return ::ioctl(device.get(), DMA_HEAP_IOCTL_ALLOC, &allocation) == 0 ? static_cast<int>(allocation.fd) : -1;
}

// What the words of a dma-buf are for those who map it.
Words words_behind(int dma_buf, std::uint64_t bytes, std::uint64_t offset) {
  Words words = {};
  void* view = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, dma_buf, 0);
  if (view == MAP_FAILED) return words;
  std::memcpy(words.data(), static_cast<const std::uint8_t*>(view) + offset, sizeof words);
  ::munmap(view, bytes);
  return words;
}

// Memory of another exporter is there for programs, or refused in words; each import prints a line.
class Imports {
 public:
  Imports(Backend& backend, const char* exporter) : backend_(backend), exporter_(exporter) {}
  // Closes `dma_buf` after another look through it.
  Status add(std::unique_ptr<Descriptor> dma_buf, std::uint64_t pages) {
    auto buffer = backend_.import_shared(dma_buf->get());
    if (!buffer && buffer.error().code == ErrorCode::kUnsupported) {
      fmt::print("NOTE {} pages of {} refused: {}\n", pages, exporter_, buffer.error().message);
      return {};
    }
    if (!buffer) return tl::unexpected<Error>(buffer.error());
    if ((*buffer)->bytes() != pages * kPage)
      return wrong("{} pages became {} bytes", pages, (*buffer)->bytes());
    fmt::print("NOTE {} pages of {} imported\n", pages, exporter_);
    const std::uint64_t offset = kPage * (pages - 1) + 32;
    ZYNPU_TRY(device_adds_one(backend_, **buffer, **buffer, offset));
    if (words_behind(dma_buf->get(), pages * kPage, offset) != plus_one(kWords))
      return wrong("the exporter's memory does not hold the program's results");
    // The buffer outlives the descriptor.
    dma_buf.reset();
    return device_adds_one(backend_, **buffer, **buffer, 0);
  }
  // No such exporter here.
  Status skip() const {
    fmt::print("SKIP no {}: {}\n", exporter_, std::strerror(errno));
    return {};
  }

 private:
  Backend& backend_;
  const char* const exporter_;
};

// The kernel bounces every mapping for a device, also udmabuf's own view of its pages: an access of the CPU
// begins with what that one holds, so that what a device wrote is lost.
bool udmabuf_is_bounced() {
  std::ifstream file("/proc/cmdline");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  return line.find("swiotlb=force") != std::string::npos;
}

Status of_udmabuf(Backend& backend) {
  if (udmabuf_is_bounced()) {
    fmt::print("SKIP udmabuf: this kernel bounces the exporter's own view (swiotlb=force)\n");
    return {};
  }
  const Descriptor memory(::memfd_create("conformance", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (memory.get() < 0 || ::ftruncate(memory.get(), 2 * kPage) != 0 ||
      ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
    return wrong("no memory to export: {}", std::strerror(errno));
  Imports imports(backend, "udmabuf");
  // Two pages cannot follow each other in both orders: at least one of the two is in pieces.
  const std::vector<std::uint64_t> orders[] = {{0}, {0, 1}, {1, 0}};
  for (const std::vector<std::uint64_t>& pages : orders) {
    auto dma_buf = std::make_unique<Descriptor>(udmabuf(memory.get(), pages));
    if (dma_buf->get() < 0) return imports.skip();
    ZYNPU_TRY(imports.add(std::move(dma_buf), pages.size()));
  }
  return {};
}

Status of_a_heap(Backend& backend) {
  Imports imports(backend, "the dma-buf heap");
  for (const std::uint64_t pages : {1u, 16u}) {
    auto dma_buf = std::make_unique<Descriptor>(heap_dma_buf(pages * kPage));
    if (dma_buf->get() < 0) return imports.skip();
    ZYNPU_TRY(imports.add(std::move(dma_buf), pages));
  }
  return {};
}

}  // namespace

std::vector<Case> sharing_cases(const Suite& suite) {
  Backend& backend = suite.context->backend();
  return {
      {"shared_memory_is_the_same_for_all_who_import_it", [&] { return same_for_all(backend); }},
      {"shared_memory_is_memory_of_programs", [&] { return programs_use_it(backend); }},
      {"shared_memory_comes_to_a_prepared_job", [&] { return a_job_gets_it_later(backend); }},
      {"shared_memory_is_imported_by_threads", [&] { return threads_share(backend); }},
      {"shared_memory_of_udmabuf_works_or_is_refused", [&] { return of_udmabuf(backend); }},
      {"shared_memory_of_a_heap_works_or_is_refused", [&] { return of_a_heap(backend); }},
      {"shared_memory_that_is_none_is_refused", [&] { return refused(backend); }},
  };
}

}  // namespace zynpu::conformance
