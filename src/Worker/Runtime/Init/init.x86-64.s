# The init of a container that asked for one: pid 1 that starts nothing itself. The launch interpreter has forked the
# real program as pid 2 and executes this file as pid 1, with every signal blocked since before the fork, so none is lost.
# It waits for signals; SIGCHLD reaps whoever ended, any other goes on to pid 2; when pid 2 ends, so does it, with the
# same status (128 + signal, as a shell says it).
#
# The file is a whole ELF executable, headers included:
#   as -o x.o init.x86-64.s && objcopy -O binary -j .text x.o orch-init        gives the bytes in InitProgram.cs
.intel_syntax noprefix
.text
.set base, 0x400000
elf:
  .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
  .short 2                  # ET_EXEC
  .short 62                 # EM_X86_64
  .long 1
  .quad base + start - elf  # entry
  .quad segment - elf       # program headers
  .quad 0                   # no sections
  .long 0
  .short 64, 56, 1, 0, 0, 0
segment:
  .long 1                   # PT_LOAD
  .long 5                   # read, execute
  .quad 0
  .quad base
  .quad base
  .quad end - elf
  .quad end - elf
  .quad 0x1000
start:
  sub rsp, 256              # [rsp]: status, [rsp+8]: signal set, [rsp+16]: siginfo
  mov qword ptr [rsp+8], -1
reap:
  mov edi, -1
  mov rsi, rsp
  mov edx, 1                # WNOHANG
  xor r10d, r10d
  mov eax, 61               # wait4
  syscall
  cmp eax, 2
  je ended
  test eax, eax
  jg reap
sleep:
  lea rdi, [rsp+8]
  lea rsi, [rsp+16]
  xor edx, edx
  mov r10d, 8
  mov eax, 128              # rt_sigtimedwait, no time limit
  syscall
  cmp eax, 17               # SIGCHLD
  je reap
  test eax, eax
  jle sleep
  mov esi, eax
  mov edi, 2
  mov eax, 62               # kill
  syscall
  jmp sleep
ended:
  mov eax, [rsp]
  mov edi, eax
  and edi, 0x7f
  jz exited
  add edi, 128
  jmp leave
exited:
  movzx edi, ah
leave:
  mov eax, 231              # exit_group
  syscall
end:
