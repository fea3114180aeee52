# The launch interpreter: between clone and exec no managed code may run (it can wait for a garbage collection that
# its parent holds), so the child runs this instead. It is position independent and uses no stack, no libc, no TLS.
#
#   long run(context *c)      context = { record *first; long status[2]*; clone_args *args; long args_size }
#
# calls clone3. The parent gets the child's pid or -errno back. The child walks 64-byte records:
#
#    0  u16  number      system call
#    2  u16  flags       bit 0..5: argument k is the address of the value; bit 8: jump to `extra` when the result is 0
#    4  u8[4] tolerated  errno values that do not fail the record (0: none)
#    8  i64[6] arguments
#   56  i64  extra       where to store the result (0: nowhere), or the jump's target
#
# A record that fails leaves its result in status[0] and its own address in status[1], and the child exits with 127.
#
#   as -o x.o interpreter.x86-64.s && objcopy -O binary -j .text x.o x.bin     gives the bytes in Interpreter.cs
.intel_syntax noprefix
.text
run:
  push rbx
  push r12
  push r13
  push r14
  push r15
  mov rbx, [rdi]
  mov r13, [rdi+8]
  mov rsi, [rdi+24]
  mov rdi, [rdi+16]
  mov eax, 435              # clone3
  syscall
  test rax, rax
  jz record
  pop r15
  pop r14
  pop r13
  pop r12
  pop rbx
  ret
record:
  movzx r14d, word ptr [rbx+2]
  mov rdi, [rbx+8]
  mov rsi, [rbx+16]
  mov rdx, [rbx+24]
  mov r10, [rbx+32]
  mov r8, [rbx+40]
  mov r9, [rbx+48]
  test r14d, 1
  jz 1f
  mov rdi, [rdi]
1:
  test r14d, 2
  jz 1f
  mov rsi, [rsi]
1:
  test r14d, 4
  jz 1f
  mov rdx, [rdx]
1:
  test r14d, 8
  jz 1f
  mov r10, [r10]
1:
  test r14d, 16
  jz 1f
  mov r8, [r8]
1:
  test r14d, 32
  jz 1f
  mov r9, [r9]
1:
  movzx eax, word ptr [rbx]
  syscall                   # destroys rcx and r11
  mov r15, [rbx+56]
  test r14d, 0x100
  jnz jump
  test r15, r15
  jz 1f
  mov [r15], rax
1:
  cmp rax, -4095
  jb next
  mov rcx, rax
  neg ecx
  cmp cl, [rbx+4]
  je next
  cmp cl, [rbx+5]
  je next
  cmp cl, [rbx+6]
  je next
  cmp cl, [rbx+7]
  je next
fail:
  mov [r13], rax
  mov [r13+8], rbx
1:
  mov edi, 127
  mov eax, 231              # exit_group
  syscall
  jmp 1b
jump:
  test rax, rax
  js fail
  jnz next
  mov rbx, r15
  jmp record
next:
  add rbx, 64
  jmp record
