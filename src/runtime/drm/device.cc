// SPDX-License-Identifier: MIT
#include "runtime/drm/device.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace zynpu::runtime::drm {
namespace {

constexpr std::string_view kDriverName = "zynpu";

const part::Part* part_of(std::uint32_t generation) {
  switch (generation) {
    case DRM_ZYNPU_Z1:
      return part::find("z1");
    case DRM_ZYNPU_Z2:
      return part::find("z2");
    case DRM_ZYNPU_X2:
      return part::find("x2");
    default:
      return nullptr;
  }
}

// Why the memory behind a dma-buf cannot be had.
Error import_error(int number, const Device& device, int dma_buf) {
  const auto refused = [&](ErrorCode code, std::string_view why) {
    return Error{code, fmt::format("{}: cannot import file descriptor {}: {} (errno {})", device.path(),
                                   dma_buf, why, number)};
  };
  switch (number) {
    case EBADF:
      return refused(ErrorCode::kInvalidArgument, "it is not open");
    case EINVAL:
      return refused(ErrorCode::kInvalidArgument, "it is no dma-buf, or one without all of its memory");
    case EOPNOTSUPP:
      return refused(ErrorCode::kUnsupported,
                     "its memory is in pieces, and the NPU, without an IOMMU, sees consecutive memory only");
    case EXDEV:
      return refused(ErrorCode::kUnsupported,
                     "this process has a private window of the NPU's memory (Z2 without an IOMMU, without "
                     "CAP_SYS_ADMIN), into which no memory from outside comes");
    case ERANGE:
      return refused(ErrorCode::kUnsupported, "its memory lies outside the NPU's address window");
    default:
      return error_of(number, device.path(), fmt::format("import file descriptor {}", dma_buf));
  }
}

}  // namespace

Error error_of(int number, const std::string& path, const std::string& what) {
  ErrorCode code = ErrorCode::kIo;
  std::string_view why = std::strerror(number);
  switch (number) {
    case ENOMEM:
      code = ErrorCode::kOutOfMemory;
      break;
    case ENODEV:
      code = ErrorCode::kDeviceFault;
      why = "the NPU is gone, or could not be reset";
      break;
    case EIO:
      code = ErrorCode::kDeviceFault;
      why = "the kernel refuses more jobs of this process: too many of them hung or failed the NPU";
      break;
    case EAGAIN:
      code = ErrorCode::kBusy;
      why = "too many unfinished jobs";
      break;
    case EINVAL:
    case E2BIG:
      code = ErrorCode::kInternal;
      why = "the kernel driver does not accept the arguments";
      break;
    default:
      break;
  }
  return {code, fmt::format("{}: cannot {}: {} (errno {})", path, what, why, number)};
}

Result<std::unique_ptr<Device>> Device::open(const std::string& path, System& system) {
  const int fd = system.open(path);
  if (fd < 0) {
    const int number = errno;
    if (number == ENOENT || number == ENODEV || number == ENXIO)
      return fail(ErrorCode::kNotFound, "there is no device `{}`", path);
    if (number == EPERM)
      return fail(ErrorCode::kIo,
                  "cannot open `{}`: {}; programs on this NPU can reach all memory, so the driver wants "
                  "CAP_SYS_ADMIN, or its parameter allow_unisolated",
                  path, std::strerror(number));
    return fail(ErrorCode::kIo, "cannot open `{}`: {}", path, std::strerror(number));
  }
  std::unique_ptr<Device> device(new Device(path, fd, system));
  ZYNPU_TRY(device->identify());
  return device;
}

Device::~Device() { system_.close(fd_); }

int Device::call(unsigned long request, void* argument) {
  for (;;) {
    if (system_.ioctl(fd_, request, argument) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

Status Device::call(unsigned long request, void* argument, const std::string& what) {
  const int number = call(request, argument);
  if (number == 0) return {};
  return tl::unexpected<Error>(error_of(number, path_, what));
}

void Device::hold(std::uint32_t handle) {
  std::lock_guard lock(handles_mutex_);
  handles_[handle] = 1;
}

Result<std::uint32_t> Device::import(int dma_buf) {
  drm_prime_handle prime{};
  prime.fd = dma_buf;
  std::lock_guard lock(handles_mutex_);
  if (const int number = call(DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime); number != 0)
    return tl::unexpected<Error>(import_error(number, *this, dma_buf));
  ++handles_[prime.handle];
  return prime.handle;
}

void Device::release(std::uint32_t handle) {
  std::lock_guard lock(handles_mutex_);
  const auto found = handles_.find(handle);
  if (found == handles_.end() || --found->second != 0) return;
  handles_.erase(found);
  drm_gem_close close{};
  close.handle = handle;
  call(DRM_IOCTL_GEM_CLOSE, &close);
}

Status Device::identify() {
  std::array<char, 32> name{};
  drm_version version{};
  version.name = name.data();
  version.name_len = name.size() - 1;
  const int number = call(DRM_IOCTL_VERSION, &version);
  if (number != 0 || std::string_view(name.data()) != kDriverName)
    return fail(ErrorCode::kUnsupported, "`{}` is no NPU of the zynpu driver ({})", path_,
                number != 0 ? std::strerror(number) : fmt::format("driver `{}`", name.data()).c_str());
  drm_zynpu_query query{};
  query.type = DRM_ZYNPU_QUERY_DEVICE;
  query.size = sizeof info_;
  query.data = reinterpret_cast<std::uintptr_t>(&info_);
  ZYNPU_TRY(call(DRM_IOCTL_ZYNPU_QUERY, &query, "ask for the NPU's description"));
  part_ = part_of(info_.generation);
  if (part_ == nullptr)
    return fail(ErrorCode::kUnsupported, "{}: an NPU of generation {}, which this library does not know",
                path_, info_.generation);
  if (info_.clusters != part_->clusters || info_.cores != part_->cores ||
      info_.tecs_per_core != part_->tecs_per_core)
    return fail(
        ErrorCode::kUnsupported,
        "{}: the NPU has {} clusters of {} cores with {} TECs; {} as this library knows it has {}, {}, {}",
        path_, info_.clusters, info_.cores, info_.tecs_per_core, part_->name, part_->clusters, part_->cores,
        part_->tecs_per_core);
  return {};
}

}  // namespace zynpu::runtime::drm
