# SPDX-License-Identifier: MIT
# boot: X2CoreDumpsAreRead --arch arm64 --part x2
# boot: Z2CoreDumpsAreRead --arch amd64 --part z2
# boot: Z1CoreDumpsAreRead --arch arm64 --part z1
# What the kernel keeps of a failed job, in the words of `zynpu coredump`: of a job that raised an exception and of one
# that never ended.
part=$(zynpu devices | sed -n 's|^/dev/accel/accel0 *\([a-z0-9]*\) .*|\1|p')
case $part in
  z1) device=Z1_0701 ;;
  z2) device=Z2_1104 ;;
  x2) device=X2_1204 ;;
  *) echo "FAIL no part"; exit 1 ;;
esac
failures=0

# The kernel keeps one dump of a device until it is written to, and makes it after the job's end is told.
release() {
  for data in /sys/class/devcoredump/devcd*/data; do
    [ ! -e "$data" ] || echo 0 > "$data"
  done
}
take() { # FILE
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    for data in /sys/class/devcoredump/devcd*/data; do
      [ ! -e "$data" ] || { cat "$data" > "$1"; echo 0 > "$data"; return 0; }
    done
    usleep 100000
  done
  return 1
}
has() { # TEXT: the decoded dump has a line with it
  grep -qF -- "$1" "text.$kind" || { echo "FAIL $kind: the decoded dump does not say '$1'"; failures=$((failures + 1)); }
}

for kind in exception timeout; do
  release
  guest_crash "$kind" > facts || { echo "FAIL $kind: no failed job"; exit 1; }
  . ./facts
  take "dump.$kind" || { echo "FAIL $kind: no core dump"; exit 1; }
  zynpu coredump "dump.$kind" > "text.$kind" || { echo "FAIL $kind: zynpu coredump"; exit 1; }
  before=$failures
  has "device      $device, "
  has "job         $JOB of client "
  case $kind in
    exception) has "outcome     exception" ;;
    timeout) has "outcome     made no progress for its time limit" ;;
  esac
  has "first group text $TEXT, parameters $PARAMETERS, stack "
  has "registers"
  has "parameters at $PARAMETERS"
  has "0000: feed0000 feed0001 feed0002 feed0003"
  has "instructions at $TEXT"
  # The first instruction, at its address.
  case $kind in
    exception) has "$TEXT  { wfe r0, 3 }" ;;
    timeout) has "$TEXT  { add r5, r5, 1 }" ;;
  esac
  [ $((PC)) = 0 ] || { has "pc          $PC"; has "=> $PC  "; }
  [ "$TASK" = 0 ] || has "task        $((TASK - 1)) (block at "
  # Where the part tells it, it must be there.
  [ "$kind.$part" != exception.z1 ] || [ $((PC)) = $((TEXT)) ] || { echo "FAIL no pc"; failures=$((failures + 1)); }
  [ "$kind.$part" != exception.x2 ] || [ "$TASK" != 0 ] || { echo "FAIL no task"; failures=$((failures + 1)); }
  if [ "$part" = x2 ]; then
    # Grid block, two blocks of segments, one task on each engine.
    has "task control blocks, "
    [ "$(grep -c " task   flags .* pc $TEXT " "text.$kind")" = 4 ] || { echo "FAIL $kind: tasks"; failures=$((failures + 1)); }
    has " grid   flags "
  fi
  if [ "$failures" = "$before" ]; then
    echo "PASS the core dump of a job that ended by $kind is read"
  else
    cat facts "text.$kind"
  fi
done
[ "$failures" = 0 ]
