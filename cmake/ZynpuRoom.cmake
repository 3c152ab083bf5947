# SPDX-License-Identifier: MIT
# The three ways to add code to the tree, so that flags and naming stay in one place.

add_library(zynpu_options INTERFACE)
target_compile_options(zynpu_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Werror
  # GCC 12 at -O3 takes the inlined code of std::string, std::vector and std::optional for overlapping, overflowing
  # or uninitialised copies.
  # AddressSanitizer and clang-tidy look for the real ones.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(ZYNPU_SANITIZE)
  target_compile_options(zynpu_options INTERFACE -fsanitize=${ZYNPU_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(zynpu_options INTERFACE -fsanitize=${ZYNPU_SANITIZE})
  # GCC warns that ThreadSanitizer does not follow fences; those here stand between the CPU and a device, not threads.
  if(ZYNPU_SANITIZE MATCHES thread)
    target_compile_options(zynpu_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()
if(ZYNPU_FUZZ)
  target_compile_options(zynpu_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# zynpu_room(NAME SOURCES ... [DEPENDS ...]): the static library zynpu_NAME of room src/NAME, as zynpu::NAME.
function(zynpu_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(zynpu_${name} STATIC ${ARG_SOURCES})
  add_library(zynpu::${name} ALIAS zynpu_${name})
  target_include_directories(zynpu_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(zynpu_${name} PUBLIC ${ARG_DEPENDS} PRIVATE zynpu_options)
endfunction()

# zynpu_test(NAME SOURCES ... [DEPENDS ...] [HOSTILE]): a GoogleTest program; each of its tests is one CTest test.
# HOSTILE: it feeds malformed files or wrong calls, so `make test` also builds and runs it under AddressSanitizer and
# UBSan (the tree configured with ZYNPU_HOSTILE_ONLY, where the other tests do not exist).
add_custom_target(zynpu_hostile)
function(zynpu_test name)
  cmake_parse_arguments(ARG "HOSTILE" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ZYNPU_TESTS OR (ZYNPU_HOSTILE_ONLY AND NOT ARG_HOSTILE))
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main zynpu_options)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE ZYNPU_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             ZYNPU_BINARY_DIR="${CMAKE_BINARY_DIR}")
  if(ARG_HOSTILE)
    add_dependencies(zynpu_hostile ${name})
  endif()
  if(ZYNPU_HOSTILE_ONLY)
    gtest_discover_tests(${name} TEST_PREFIX "sanitized:" NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
  else()
    gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
  endif()
endfunction()

# zynpu_bench(NAME SOURCES ... [DEPENDS ...]): a Google Benchmark program.
function(zynpu_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ZYNPU_BENCH)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} benchmark::benchmark benchmark::benchmark_main
                                        zynpu_options)
endfunction()

# zynpu_fuzz(NAME SOURCES ... [DEPENDS ...] [SEEDS FILE_OR_FOLDER ...]): a libFuzzer program; only with ZYNPU_FUZZ.
# As a CTest test it runs for ZYNPU_FUZZ_SECONDS from the seeds and from the findings of earlier runs. Inputs that once
# failed lie in tests/fuzz/regressions/NAME and are run first.
add_custom_target(zynpu_fuzzers)
function(zynpu_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;SEEDS" ${ARGN})
  if(NOT ZYNPU_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} zynpu_options)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(zynpu_fuzzers ${name})
  math(EXPR timeout "${ZYNPU_FUZZ_SECONDS} + 300")
  add_test(NAME fuzz:${name}
           COMMAND ${CMAKE_SOURCE_DIR}/scripts/fuzz_one.sh $<TARGET_FILE:${name}> ${ZYNPU_FUZZ_SECONDS}
                   ${CMAKE_SOURCE_DIR}/tests/fuzz/regressions/${name} ${ARG_SEEDS})
  set_tests_properties(fuzz:${name} PROPERTIES TIMEOUT ${timeout})
endfunction()
