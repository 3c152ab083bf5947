# SPDX-License-Identifier: MIT
# The libraries for a cross build: all of them can be used from their headers alone, which are those of this machine's
# -dev packages. They are linked into a folder of their own, because the rest of /usr/include is of this machine.
set(headers ${CMAKE_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${headers})
foreach(library fmt tl nlohmann CLI flatbuffers stb)
  if(NOT EXISTS /usr/include/${library})
    message(FATAL_ERROR "/usr/include/${library} is missing: run scripts/setup.sh build")
  endif()
  file(CREATE_LINK /usr/include/${library} ${headers}/${library} SYMBOLIC)
endforeach()

foreach(target fmt::fmt tl::expected nlohmann_json::nlohmann_json CLI11::CLI11 flatbuffers::flatbuffers)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${headers}
                                             INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${headers})
endforeach()
set_target_properties(fmt::fmt PROPERTIES INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
