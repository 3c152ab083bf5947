// SPDX-License-Identifier: MIT
#include "vfio/session.h"

#include <cerrno>
#include <cstring>
#include <optional>

namespace zynpu::vfio {
namespace {

// The fixed part of a payload, if the payload is long enough.
template <class T>
std::optional<T> parse(const Message& message) {
  T value{};
  if (message.payload.size() < sizeof value) return std::nullopt;
  std::memcpy(&value, message.payload.data(), sizeof value);
  return value;
}

template <class T>
Reply answer(const T& value, std::size_t extra = 0) {
  Reply reply;
  reply.payload.resize(sizeof value + extra);
  std::memcpy(reply.payload.data(), &value, sizeof value);
  return reply;
}

Reply error(int number) { return {.error = number, .payload = {}}; }

}  // namespace

Result<std::unique_ptr<Session>> Session::create(const part::Part& part, InterruptKind interrupts,
                                                 const vnpu::Options& options, RemoteMemory& remote) {
  std::unique_ptr<Session> session(new Session(part, interrupts));
  ZYNPU_ASSIGN_OR_RETURN(session->engine_, Engine::create(part, options, remote, session->interrupts_));
  return session;
}

Reply Session::handle(Message& request) {
  const auto command = static_cast<Command>(request.header.command);
  // Nothing is said before the version is agreed on.
  if (!agreed_ && command != Command::kVersion) return error(EINVAL);
  switch (command) {
    case Command::kVersion:
      return version(request);
    case Command::kDmaMap:
      return dma_map(request);
    case Command::kDmaUnmap:
      return dma_unmap(request);
    case Command::kGetInfo:
      return get_info(request);
    case Command::kGetRegionInfo:
      return get_region_info(request);
    case Command::kGetIrqInfo:
      return get_irq_info(request);
    case Command::kSetIrqs:
      return set_irqs(request);
    case Command::kRegionRead:
      return region_read(request);
    case Command::kRegionWrite:
      return region_write(request);
    case Command::kReset:
      return reset();
    default:
      return error(ENOTSUP);
  }
}

Reply Session::version(const Message& request) {
  struct Version {
    std::uint16_t major, minor;
  };
  const auto asked = parse<Version>(request);
  if (!asked) return error(EINVAL);
  if (asked->major != 0) return error(ENOTSUP);
  // "reply larger than recv buffer": the client's buffer is its request (vm-lab.md 5.1).
  const std::size_t bytes = sizeof(Version) + sizeof kCapabilities;
  if (bytes > request.payload.size()) return error(EMSGSIZE);
  Reply reply = answer(Version{0, 0}, sizeof kCapabilities);
  std::memcpy(reply.payload.data() + sizeof(Version), kCapabilities, sizeof kCapabilities);
  agreed_ = true;
  return reply;
}

Reply Session::dma_map(Message& request) {
  const auto map = parse<DmaMap>(request);
  if (!map || map->argsz < sizeof(DmaMap) || (map->flags & ~(kDmaReadable | kDmaWritable)) != 0 ||
      map->flags == 0 || request.fds.size() > 1)
    return error(EINVAL);
  const FileDescriptor none;
  return error(engine_->map(*map, request.fds.empty() ? none : request.fds.front()));
}

Reply Session::dma_unmap(const Message& request) {
  const auto unmap = parse<DmaUnmap>(request);
  if (!unmap || unmap->argsz < sizeof(DmaUnmap)) return error(EINVAL);
  if (unmap->flags == kUnmapAll) {
    if (unmap->address != 0 || unmap->bytes != 0) return error(EINVAL);
    engine_->unmap_all();
    return answer(*unmap);
  }
  if (unmap->flags != 0) return error(ENOTSUP);  // dirty pages are not tracked
  if (const int failed = engine_->unmap(unmap->address, unmap->bytes); failed != 0) return error(failed);
  return answer(*unmap);
}

Reply Session::get_info(const Message& request) {
  const auto asked = parse<DeviceInfo>(request);
  if (!asked || asked->argsz < sizeof(DeviceInfo)) return error(EINVAL);
  return answer(DeviceInfo{
      .argsz = sizeof(DeviceInfo), .flags = kDeviceReset | kDevicePci, .regions = kRegions, .irqs = kIrqs});
}

Reply Session::get_region_info(const Message& request) {
  const auto asked = parse<RegionInfo>(request);
  if (!asked || asked->argsz < sizeof(RegionInfo) || asked->index >= kRegions) return error(EINVAL);
  RegionInfo info{.argsz = sizeof(RegionInfo),
                  .flags = 0,
                  .index = asked->index,
                  .cap_offset = 0,
                  .bytes = 0,
                  .offset = 0};
  if (asked->index == kBar0Region || asked->index == kConfigRegion) {
    info.flags = kRegionReadable | kRegionWritable;
    info.bytes = asked->index == kBar0Region ? kBarBytes : ConfigSpace::kBytes;
  }
  return answer(info);
}

std::uint32_t Session::irq_count(std::uint32_t index) const {
  if (index == kIntxIndex) return 1;
  if (index == kMsiIndex) return kind_ == InterruptKind::kMsi ? 1 : 0;
  if (index == kMsixIndex) return kind_ == InterruptKind::kMsix ? 1 : 0;
  return 0;
}

Reply Session::get_irq_info(const Message& request) {
  const auto asked = parse<IrqInfo>(request);
  if (!asked || asked->argsz < sizeof(IrqInfo) || asked->index >= kIrqs) return error(EINVAL);
  IrqInfo info{.argsz = sizeof(IrqInfo), .flags = 0, .index = asked->index, .count = irq_count(asked->index)};
  if (info.count != 0)
    info.flags =
        asked->index == kIntxIndex ? kIrqEventfd | kIrqMaskable | kIrqAutomasked : kIrqEventfd | kIrqNoResize;
  return answer(info);
}

Reply Session::set_irqs(Message& request) {
  const auto set = parse<SetIrqs>(request);
  if (!set || set->argsz < sizeof(SetIrqs) || set->index >= kIrqs) return error(EINVAL);
  const std::uint32_t vectors = irq_count(set->index);
  if (vectors == 0 || set->start > vectors || set->count > vectors - set->start) return error(EINVAL);
  const std::uint32_t data = set->flags & (kDataNone | kDataBool | kDataEventfd);
  const std::uint32_t action = set->flags & (kActionMask | kActionUnmask | kActionTrigger);
  if ((set->flags & ~0x3Fu) != 0) return error(EINVAL);

  if (action == kActionTrigger && data == kDataNone && set->count == 0) {  // disables the whole index
    interrupts_.attach(set->index, FileDescriptor());
    return {};
  }
  if (action == kActionTrigger && data == kDataEventfd) {
    if (set->count != 1 || request.fds.size() > 1) return error(EINVAL);
    interrupts_.attach(set->index, request.fds.empty() ? FileDescriptor() : std::move(request.fds.front()));
    return {};
  }
  if ((action == kActionMask || action == kActionUnmask) && data == kDataNone && set->index == kIntxIndex) {
    if (set->count != 0) interrupts_.set_mask(action == kActionMask);
    return {};
  }
  const bool known = (action == kActionTrigger || action == kActionMask || action == kActionUnmask) &&
                     (data == kDataNone || data == kDataBool || data == kDataEventfd);
  return error(known ? ENOTSUP : EINVAL);
}

int Session::read_bar(std::uint64_t offset, std::span<std::uint8_t> data) {
  if (data.size() > 8) return EINVAL;  // no access of a processor is wider
  for (std::size_t i = 0; i < data.size();) {
    const auto at = static_cast<std::uint32_t>(offset + i);
    const std::uint32_t value = engine_->read_register(at & ~3u);
    for (std::uint32_t byte = at % 4; byte < 4 && i < data.size(); ++byte, ++i)
      data[i] = static_cast<std::uint8_t>(value >> (8 * byte));
  }
  return 0;
}

int Session::write_bar(std::uint64_t offset, std::span<const std::uint8_t> data) {
  // All registers are 32 bits wide and naturally aligned (host-interface.md 1).
  if (data.size() > 8 || data.size() % 4 != 0 || offset % 4 != 0) return EINVAL;
  for (std::size_t i = 0; i < data.size(); i += 4) {
    std::uint32_t value = 0;
    std::memcpy(&value, data.data() + i, sizeof value);
    engine_->write_register(static_cast<std::uint32_t>(offset + i), value);
  }
  return 0;
}

Reply Session::region_read(const Message& request) {
  const auto access = parse<RegionAccess>(request);
  if (!access || access->count == 0) return error(EINVAL);
  const bool config = access->region == kConfigRegion;
  if (!config && access->region != kBar0Region) return error(EINVAL);
  const std::uint64_t limit = config ? ConfigSpace::kBytes : kBarBytes;
  if (access->offset > limit || access->count > limit - access->offset) return error(EINVAL);
  Reply reply = answer(*access, access->count);
  const std::span<std::uint8_t> data = std::span(reply.payload).subspan(sizeof(RegionAccess));
  if (config) {
    config_.read(static_cast<std::uint32_t>(access->offset), data);
    return reply;
  }
  const int failed = read_bar(access->offset, data);
  return failed != 0 ? error(failed) : std::move(reply);
}

Reply Session::region_write(const Message& request) {
  const auto access = parse<RegionAccess>(request);
  if (!access || access->count == 0) return error(EINVAL);
  const std::span<const std::uint8_t> data = std::span(request.payload).subspan(sizeof(RegionAccess));
  const bool config = access->region == kConfigRegion;
  if (data.size() != access->count || (!config && access->region != kBar0Region)) return error(EINVAL);
  const std::uint64_t limit = config ? ConfigSpace::kBytes : kBarBytes;
  if (access->offset > limit || access->count > limit - access->offset) return error(EINVAL);
  if (config) {
    const auto offset = static_cast<std::uint32_t>(access->offset);
    config_.write(offset, data);
    if (ConfigSpace::injects(offset, data.size()))
      engine_->inject(static_cast<Injection>(config_.injection_command()), config_.injection_argument());
  } else if (const int failed = write_bar(access->offset, data); failed != 0) {
    return error(failed);
  }
  return answer(*access);
}

Reply Session::reset() {
  engine_->reset();
  config_.reset();
  return {};
}

}  // namespace zynpu::vfio
